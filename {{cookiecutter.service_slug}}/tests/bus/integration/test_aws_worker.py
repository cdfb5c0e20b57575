"""The scheduled Lambda function on Postgres: it runs what is due and drives all subscribers."""

import asyncio
import importlib
import sys
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from {{ cookiecutter.__package }} import bootstrap
from {{ cookiecutter.__package }}.bus import Dispatch, StoredCommit
from {{ cookiecutter.__package }}.observability import log

from ..parcel import commands, queries
from ..support.postgres import server, template, url

__all__ = ["server", "template", "url"]

PACKAGE = "{{ cookiecutter.__package }}.entrypoints.aws"
KILLED = Dispatch(steps=0, time_limit=timedelta(microseconds=1), grace=timedelta(0))


class Follower:
    """A subscriber of an owner's: it notes what it is given."""

    name = "follower"

    def __init__(self) -> None:
        self.seen: list[str] = []

    def receive(self, commits: Sequence[StoredCommit]) -> None:
        self.seen += [commit.stream_id for commit in commits]


@pytest.fixture
def follower(monkeypatch: pytest.MonkeyPatch) -> Follower:
    follower = Follower()
    monkeypatch.setattr(bootstrap, "SUBSCRIBERS", (lambda _settings, _bus: follower,))
    return follower


@pytest.fixture
def worker(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, follower: Follower
) -> Iterator[Any]:
    """The module of the function, as one that starts imports it."""
    assert follower.seen == []
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("STORE", "postgres")
    monkeypatch.setenv("DATABASE_URL", url)
    monkeypatch.setattr(log, "configure", lambda *_: None)  # of the whole process
    for name in ("runtime", "worker", "http"):
        sys.modules.pop(f"{PACKAGE}.{name}", None)
    module = importlib.import_module(f"{PACKAGE}.worker")
    yield module
    module.bus.store.close()


def create(bus: Any, *ids: str) -> None:
    """Take these in, as a process does that is killed right after its commits."""
    bus.dispatch, given = KILLED, bus.dispatch
    for each in ids:
        bus.handle(commands.CreateParcel(parcel_id=each, data={}))
    bus.dispatch = given


def test_the_schedule_completes_what_was_cut_off_and_keeps_the_list(worker: Any) -> None:
    create(worker.bus, "a", "b")

    assert worker.worker_handler({"any": "event"}, None)["attempted"] >= 2
    page = worker.bus.ask(queries.GetParcelList())
    assert {row.id: row.status for row in page.items} == {"a": "archived", "b": "archived"}
    assert worker.worker_handler(None, None) == {"attempted": 0}


def test_the_schedule_drives_every_subscriber_from_its_checkpoint(
    worker: Any, follower: Follower
) -> None:
    bus = worker.bus
    for name in "ab":
        create(bus, name)
        before = [bus.store.views.cell(f"checkpoint/{name}") for name in bus.subscriptions]
        worker.worker_handler(None, None)
        after = [bus.store.views.cell(f"checkpoint/{name}") for name in bus.subscriptions]
        assert all(moved not in (None, was) for moved, was in zip(after, before, strict=True))
        assert not any(each.lag() for each in bus.subscriptions.values())
    assert len(follower.seen) == 2 * 3


def test_a_process_of_a_function_takes_two_connections_at_most(worker: Any) -> None:
    """By this, template.yaml bounds how many processes there are."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    http = importlib.import_module(f"{PACKAGE}.http")
    assert http.bus is worker.bus
    for number in range(3):
        command = {"command": "CreateParcel", "body": {"parcel_id": f"p{number}", "data": {}}}
        assert http.handler(command, None)["statusCode"] == 201
        assert http.handler({"warm-up": True}, None)["statusCode"] == 200
        worker.worker_handler(None, None)
    assert 1 <= worker.bus.store._database._pool.get_stats()["pool_size"] <= 2
    asyncio.set_event_loop(None)
    loop.close()
