"""The {{ cookiecutter.__plural_words }}, as a client meets them."""

from collections.abc import Iterator

import pytest

from {{ cookiecutter.__package }}.bootstrap import make_bus
from {{ cookiecutter.__package }}.bus import MessageBus
from {{ cookiecutter.__package }}.config import Settings
from {{ cookiecutter.__package }}.entrypoints.api.app import create_app

from ..support.client import Client, client_of

ID = "{{ cookiecutter.__aggregate_snake }}_id"
PATH = "/{{ cookiecutter.aggregate_plural }}"


@pytest.fixture
def bus() -> MessageBus:
    return make_bus(Settings(store="memory"))


@pytest.fixture
def client(bus: MessageBus) -> Iterator[Client]:
    with client_of(create_app(bus)) as client:
        yield client


def test_one_is_created_read_and_closed(client: Client) -> None:
    created = client.post(PATH, {ID: "a", "data": {"x": 1}})
    assert (created.status_code, created.headers["location"]) == (201, f"{PATH}/a")
    assert created.json() == {ID: "a", "status": "open", "version": 1}
    closed = client.post(f"{PATH}/a/close", {"reason": "done"})
    assert (closed.status_code, closed.json()["status"]) == (200, "closed")
    assert client.post(f"{PATH}/a/close", {"reason": "done"}).status_code == 409
    assert client.get(f"{PATH}/a").json() == {
        ID: "a",
        "status": "closed",
        "version": 2,
        "data": {"x": 1},
    }
    history = client.get(f"{PATH}/a/history").json()["events"]
    assert [event["version"] for event in history] == [1, 2]


def test_they_are_listed_by_status(client: Client, bus: MessageBus) -> None:
    for each in "abc":
        assert client.post(PATH, {ID: each, "data": {}}).status_code == 201
    assert client.post(f"{PATH}/b/close", {"reason": "done"}).status_code == 200
    for subscription in bus.subscriptions.values():
        subscription.advance()
    found = client.get(f"{PATH}?status=open").json()["items"]
    assert [item[ID] for item in found] == ["c", "a"]


def test_bad_input_is_refused(client: Client) -> None:
    assert client.get(f"{PATH}/unknown").status_code == 404
    assert client.post(PATH, {"data": []}).status_code == 422
    assert client.post(f"{PATH}/unknown/close", {"reason": ""}).status_code == 422
    assert client.post(f"{PATH}/unknown/close", {"reason": "done"}).status_code == 404
