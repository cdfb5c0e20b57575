"""Lists and idempotency keys, as a client meets them."""

from collections.abc import Iterator
from typing import Any

import pytest

from {{ cookiecutter.__package }}.bootstrap import make_bus
from {{ cookiecutter.__package }}.bus import MessageBus
from {{ cookiecutter.__package }}.config import Settings
from {{ cookiecutter.__package }}.entrypoints.api.app import create_app

from ...support.client import Client, client_of
from .test_http import ID, PATH, SECRET, assert_problem

KEY = {"Idempotency-Key": "k"}


@pytest.fixture
def bus() -> MessageBus:
    return make_bus(Settings(store="memory"))


@pytest.fixture
def client(bus: MessageBus) -> Iterator[Client]:
    with client_of(create_app(bus)) as client:
        yield client


@pytest.fixture
def listed(bus: MessageBus, client: Client) -> list[str]:
    """The ids of ten, newest first; every third has failed."""
    for number in range(10):
        data = {"fail": SECRET} if number % 3 == 0 else {}
        assert client.post(PATH, {ID: f"n{number}", "data": data}).status_code == 201
    for subscription in bus.subscriptions.values():
        subscription.advance()
    return [f"n{number}" for number in range(9, -1, -1)]


def ids(response: Any) -> list[str]:
    assert response.status_code == 200, response.text
    return [item[ID] for item in response.json()["items"]]


def test_a_list_is_newest_first_and_says_what_a_list_needs(
    client: Client, listed: list[str]
) -> None:
    response = client.get(PATH)
    assert ids(response) == listed
    newest = response.json()["items"][0]
    assert newest.keys() == {ID, "status", "version", "created_at", "location"}
    assert (newest["status"], newest["version"], newest["location"]) == ("failed", 2, None)
    assert client.get(f"{PATH}/n8").json()["location"] == response.json()["items"][1]["location"]


def test_a_list_is_filtered_by_status(client: Client, listed: list[str]) -> None:
    assert ids(client.get(f"{PATH}?status=failed")) == ["n9", "n6", "n3", "n0"]
    assert ids(client.get(f"{PATH}?status=created")) == []


def test_a_list_comes_in_pages(client: Client, listed: list[str]) -> None:
    seen, query = [], "?limit=3&status=archived"
    while True:
        response = client.get(PATH + query)
        seen.append(ids(response))
        if response.json()["next"] is None:
            break
        query = f"?limit=3&status=archived&cursor={response.json()['next']}"
    assert seen == [["n8", "n7", "n5"], ["n4", "n2", "n1"]]


def test_an_empty_list_is_a_list(client: Client) -> None:
    assert client.get(PATH).json() == {"items": [], "next": None}


@pytest.mark.parametrize(
    "query",
    [
        "status=lost",
        "status=",
        "limit=0",
        "limit=201",
        "limit=x",
        f"cursor={SECRET}",
        "cursor=",
        "cursor=%00",
        "cursor=WzEsMl0",
        f"cursor={'x' * 2000}",
    ],
)
def test_a_list_that_cannot_be_is_a_problem(client: Client, query: str) -> None:
    assert_problem(client.get(f"{PATH}?{query}"), 422)


def test_the_same_key_and_body_give_the_same_answer_also_without_an_id(client: Client) -> None:
    first, again = (client.post(PATH, {"data": {"x": 1}}, headers=KEY) for _ in "ab")
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    assert first.headers["location"] == again.headers["location"]
    assert first.json()["status"] == "created"
    assert len(client.get(f"{first.headers['location']}/history").json()["events"]) == 3


@pytest.mark.parametrize("body", [b'{"data": {"x":1}}', b'{"data":{"x": 1}}', b'{"data": {}}'])
def test_the_same_key_with_another_body_is_refused(client: Client, body: bytes) -> None:
    headers = {**KEY, "Content-Type": "application/json"}
    assert client.post(PATH, headers=headers, content=b'{"data": {"x": 1}}').status_code == 201
    assert_problem(client.post(PATH, headers=headers, content=body), 422)


def test_a_refusal_leaves_the_key_free(client: Client) -> None:
    client.post(PATH, {ID: "a", "data": {}})
    assert_problem(client.post(PATH, {ID: "a", "data": {}}, headers=KEY), 409)
    assert client.post(PATH, {ID: "b", "data": {}}, headers=KEY).status_code == 201


@pytest.mark.parametrize("key", ["", "two words", "é", "x" * 256])
def test_a_key_that_is_none_is_a_problem(client: Client, key: str) -> None:
    headers = [(b"Idempotency-Key", key.encode())]
    assert_problem(client.post(PATH, {"data": {}}, headers=headers), 422)
