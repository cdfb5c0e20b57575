"""The {{ cookiecutter.__plural_words }} follow what happens, and can be made anew."""

import json
from collections.abc import Iterator

import pytest

from {{ cookiecutter.__package }}.bootstrap import make_bus
from {{ cookiecutter.__package }}.bus import Codec, Event, MessageBus
from {{ cookiecutter.__package }}.config import Settings
from {{ cookiecutter.__package }}.domain.{{ cookiecutter.__aggregate_snake }} import aggregate
from {{ cookiecutter.__package }}.entrypoints.api.app import create_app

from ..support.client import Client, client_of
from ..support.golden import golden
from ..support.harness import Scenario

ID = "{{ cookiecutter.__aggregate_snake }}_id"
PATH = "/{{ cookiecutter.projection_plural }}"
MODEL = "{{ cookiecutter.__plural_snake }}"
EVENTS = list(aggregate.{{ cookiecutter.__aggregate }}.appliers)
FIRST = EVENTS[0]


def example(event_type: type[Event], key: str) -> Event:
    """An event of this type, of the one with this id."""
    stored = {**golden(event_type)["example"], ID: key}
    (event,) = Codec([event_type]).decode(json.dumps([stored]))
    return event


@pytest.fixture
def bus(scenario: Scenario) -> MessageBus:
    return make_bus(
        Settings(store="memory"),
        store=scenario.store,
        dependencies=scenario.dependencies,
    )


@pytest.fixture
def client(bus: MessageBus) -> Iterator[Client]:
    with client_of(create_app(bus)) as client:
        yield client


def catch_up(bus: MessageBus) -> None:
    while bus.subscriptions[MODEL].advance():
        pass


def happen(scenario: Scenario, *events: Event) -> None:
    for event in events:
        scenario.clock.move(seconds=1)
        scenario.given(event)


def listed(client: Client, query: str = "") -> list[tuple[str, str, int]]:
    """The ids, states and versions, page by page."""
    found: list[tuple[str, str, int]] = []
    cursor = ""
    for _ in range(9):
        page = client.get(f"{PATH}?limit=2{query}{cursor}").json()
        found += [(item[ID], item["state"], item["version"]) for item in page["items"]]
        if page["next"] is None:
            return found
        cursor = f"&cursor={page['next']}"
    raise AssertionError(f"the list has no end: {found}")


def test_it_follows_every_event(scenario: Scenario, bus: MessageBus, client: Client) -> None:
    happen(scenario, example(FIRST, "a"))
    catch_up(bus)
    first = client.get(f"{PATH}/a").json()
    assert (first["state"], first["version"]) == ("new", 1)
    for version, event_type in enumerate(EVENTS, start=2):
        happen(scenario, example(event_type, "a"))
        catch_up(bus)
        row = client.get(f"{PATH}/a").json()
        assert (row["state"], row["version"]) == ("changed", version)
        assert row["created_at"] == first["created_at"] < row["changed_at"]


def test_they_are_listed_by_state_and_in_pages(
    scenario: Scenario, bus: MessageBus, client: Client
) -> None:
    happen(scenario, *(example(FIRST, key) for key in "abcbd"))
    catch_up(bus)
    everyone = [("d", "new", 1), ("c", "new", 1), ("b", "changed", 2), ("a", "new", 1)]
    assert listed(client) == everyone
    assert listed(client, "&state=changed") == everyone[2:3]
    assert client.get(f"{PATH}?state=lost").status_code == 422
    assert client.get(f"{PATH}?cursor=lost").status_code == 422


def test_whoever_wrote_reads_what_was_written(scenario: Scenario, client: Client) -> None:
    happen(scenario, example(FIRST, "a"))
    assert client.get(f"{PATH}/a").status_code == 404
    assert client.get(f"{PATH}/a?min_version=1").json()["version"] == 1


def test_made_anew_it_is_the_same(scenario: Scenario, bus: MessageBus, client: Client) -> None:
    happen(scenario, *(example(FIRST, key) for key in "abcb"))
    bus.projectors[MODEL].rebuild()
    anew = listed(client)
    assert anew == [("c", "new", 1), ("b", "changed", 2), ("a", "new", 1)]
    catch_up(bus)
    assert listed(client) == anew
