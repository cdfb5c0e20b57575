"""The {{ cookiecutter.__plural_words }}, as a client meets them: through the whole app, in memory."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from {{ cookiecutter.__package }}.adapters.files import MemoryFileStore
from {{ cookiecutter.__package }}.bootstrap import make_bus
from {{ cookiecutter.__package }}.bus import MessageBus
from {{ cookiecutter.__package }}.config import Settings
from {{ cookiecutter.__package }}.entrypoints.api.app import create_app
from {{ cookiecutter.__package }}.service.ports.files import FileStore

from ..support.client import Client, client_of

PATH = "/{{ cookiecutter.aggregate_plural }}"
ID = "{{ cookiecutter.__aggregate_snake }}_id"
NEW: dict[str, Any] = {"data": {"x": 1}}


@pytest.fixture
def bus() -> MessageBus:
    return make_bus(Settings(store="memory"), dependencies={FileStore: MemoryFileStore()})


@pytest.fixture
def client(bus: MessageBus) -> Iterator[Client]:
    with client_of(create_app(bus)) as client:
        yield client


@pytest.fixture
def listed(bus: MessageBus, client: Client) -> list[str]:
    """The ids of four, newest first."""
    for number in range(4):
        assert client.post(PATH, {ID: f"n{number}", **NEW}).status_code == 201
    catch_up(bus)
    return ["n3", "n2", "n1", "n0"]


def catch_up(bus: MessageBus) -> None:
    """Bring the lists up to date."""
    for subscription in bus.subscriptions.values():
        subscription.advance()


def ids(response: Any) -> list[str]:
    assert response.status_code == 200, response.text
    return [item[ID] for item in response.json()["items"]]


def test_what_is_created_is_answered_as_of_its_own_commit_whatever_follows(client: Client) -> None:
    created = client.post(PATH, {ID: "a-1", **NEW})
    assert created.status_code == 201
    assert created.headers["location"] == f"{PATH}/a-1"
    assert created.json() == {ID: "a-1", "status": "created", "version": 1}
    found = client.get(created.headers["location"]).json()
    assert found == {**found, ID: "a-1", **NEW}


def test_without_an_id_the_service_makes_one(client: Client) -> None:
    first, second = (client.post(PATH, NEW).json()[ID] for _ in range(2))
    assert first != second
    assert re.fullmatch("[0-9a-f]{32}", first)
    assert client.get(f"{PATH}/{first}").status_code == 200


def test_the_history_begins_with_what_was_sent(client: Client) -> None:
    client.post(PATH, {ID: "a", **NEW})
    first, *_ = client.get(f"{PATH}/a/history").json()["events"]
    assert (first["type"], first["version"]) == ("{{ cookiecutter.__aggregate }}Created", 1)
    assert first["data"] == {ID: "a", **NEW}


def test_a_taken_id_is_refused(client: Client) -> None:
    client.post(PATH, {ID: "a", **NEW})
    before = client.get(f"{PATH}/a/history").json()
    assert client.post(PATH, {ID: "a", **NEW}).status_code == 409
    assert client.get(f"{PATH}/a/history").json() == before


def test_the_same_key_and_body_give_the_same_answer(client: Client) -> None:
    key = {"Idempotency-Key": "k"}
    first, again = (client.post(PATH, NEW, headers=key) for _ in "ab")
    assert (first.status_code, first.json()) == (201, again.json())
    assert first.headers["location"] == again.headers["location"]


def test_a_list_is_newest_first(client: Client, listed: list[str]) -> None:
    response = client.get(PATH)
    assert ids(response) == listed
    newest, *_ = response.json()["items"]
    assert newest.keys() >= {ID, "status", "version", "created_at"}


def test_a_list_is_filtered_by_status_in_pages(client: Client, listed: list[str]) -> None:
    status = client.get(f"{PATH}/n0").json()["status"]
    first = client.get(f"{PATH}?status={status}&limit=3")
    assert ids(first) == listed[:3]
    after = f"{PATH}?status={status}&limit=3&cursor={first.json()['next']}"
    assert ids(client.get(after)) == listed[3:]


def test_bad_input_is_refused(client: Client) -> None:
    assert client.get(f"{PATH}/unknown").status_code == 404
    assert client.get(f"{PATH}/unknown/history").status_code == 404
    assert client.get(f"{PATH}?status=lost").status_code == 422
    refused: list[Any] = [{}, {"data": []}, {ID: "a b", **NEW}, {**NEW, "status": "x"}]
    for body in refused:
        assert client.post(PATH, body).status_code == 422


def test_every_error_is_documented(client: Client) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    one = PATH + "/{" + ID + "}"
    documented = {
        PATH: {
            "get": {"200", "422", "503", "default"},
            "post": {"201", "409", "413", "422", "503", "default"},
        },
        one: {"get": {"200", "404", "503", "default"}},
        f"{one}/history": {"get": {"200", "404", "422", "503", "default"}},
    }
    for path, expected in documented.items():
        routes = paths[path]
        assert {method: set(route["responses"]) for method, route in routes.items()} == expected
