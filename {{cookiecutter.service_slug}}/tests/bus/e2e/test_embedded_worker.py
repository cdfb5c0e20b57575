"""The worker that runs beside the server, in the same process."""

import asyncio
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from threading import Event, Thread
from threading import enumerate as running_threads
from typing import Any

import pytest
from fastapi import FastAPI

from {{ cookiecutter.__package }}.adapters.event_store.memory import MemoryEventStore
from {{ cookiecutter.__package }}.bootstrap import make_bus
from {{ cookiecutter.__package }}.bus import (
    Dispatch,
    Envelope,
    MessageBus,
    Next,
    PendingCommand,
    StoreUnavailable,
)
from {{ cookiecutter.__package }}.config import Settings
from {{ cookiecutter.__package }}.entrypoints import worker as entrypoint
from {{ cookiecutter.__package }}.entrypoints.api import app
from {{ cookiecutter.__package }}.entrypoints.worker import EmbeddedWorker
from {{ cookiecutter.__package }}.observability import log

from ...support.client import client_of
from ..parcel import commands, queries
from ..support.logged import Lines, lines
from ..support.process import until

__all__ = ["lines"]

LAST = "ArchiveParcel"
STREAM = "Parcel/a"
SECONDS = 30  # before something that must happen is given up
SETTINGS = Settings(store="memory")


@pytest.fixture(autouse=True)
def _looks_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entrypoint, "INTERVAL", timedelta(milliseconds=10))


class Workflow:
    """One workflow that inline dispatch has left to the worker, and that can be held up before
    its last command."""

    def __init__(self, store: MemoryEventStore) -> None:
        self.at_the_last, self.may_go_on, self.done = Event(), Event(), Event()
        self.may_go_on.set()
        self.bus: MessageBus = make_bus(
            Settings(store="memory"),
            store=store,
            middleware=[self._watch],
            dispatch=Dispatch(steps=0, time_limit=timedelta(microseconds=1), grace=timedelta(0)),
        )
        self.bus.handle(commands.CreateParcel(parcel_id="a", data={}))

    def _watch(self, envelope: Envelope, handle: Next) -> Any:
        if envelope.message.message_name != LAST:
            return handle(envelope)
        self.at_the_last.set()
        assert self.may_go_on.wait(SECONDS)
        result = handle(envelope)
        self.done.set()
        return result

    def status(self) -> str:
        query = queries.GetParcel(parcel_id="a")
        return self.bus.ask(query).status


@pytest.fixture
def store() -> MemoryEventStore:
    return MemoryEventStore()


@pytest.fixture
def workflow(store: MemoryEventStore, tmp_path: Path) -> Iterator[Workflow]:
    workflow = Workflow(store)
    yield workflow
    workflow.may_go_on.set()


def live(application: FastAPI, happens: Event | None) -> set[str]:
    """The life of an application, until this has happened. Returns the names of its threads."""

    async def whole_life() -> set[str]:
        async with application.router.lifespan_context(application):
            if happens:
                assert await asyncio.to_thread(happens.wait, SECONDS)
            return {thread.name for thread in running_threads()}

    return asyncio.run(whole_life())


def test_it_runs_what_was_left_and_ends_with_the_app(workflow: Workflow) -> None:
    worker = EmbeddedWorker(SETTINGS, workflow.bus)

    names = live(app.create_app(workflow.bus, worker=worker), workflow.done)

    assert "run_pending" in names
    assert "run_pending" not in {thread.name for thread in running_threads()}
    assert workflow.status() == "archived"


def test_stopping_finishes_the_command_under_way(workflow: Workflow) -> None:
    workflow.may_go_on.clear()
    worker = EmbeddedWorker(SETTINGS, workflow.bus)
    worker.start()
    assert workflow.at_the_last.wait(SECONDS)

    stopping = Thread(target=worker.stop)
    stopping.start()
    assert stopping.is_alive(), "it did not wait for the command"
    workflow.may_go_on.set()
    stopping.join(SECONDS)

    assert not stopping.is_alive()
    assert workflow.status() == "archived"


def test_it_outlives_a_failure_of_its_own(
    workflow: Workflow, store: MemoryEventStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    due, failures = store.due, [RuntimeError("a bug")]

    def fail_once(*arguments: Any) -> list[str]:
        if failures:
            raise failures.pop()
        return due(*arguments)

    monkeypatch.setattr(store, "due", fail_once)
    worker = EmbeddedWorker(SETTINGS, workflow.bus)
    worker.start()

    assert workflow.done.wait(SECONDS)
    worker.stop()
    assert not failures


def test_an_outage_is_logged_once_and_so_is_its_end(
    workflow: Workflow, store: MemoryEventStore, monkeypatch: pytest.MonkeyPatch, lines: Lines
) -> None:
    due, feed = store.due, store.feed
    failures = {due: 20, feed: 20}

    def fails_for_a_while(call: Any) -> Any:
        def called(*arguments: Any) -> Any:
            if failures[call]:
                failures[call] -= 1
                raise StoreUnavailable("it is away")
            return call(*arguments)

        return called

    monkeypatch.setattr(store, "due", fails_for_a_while(due))
    monkeypatch.setattr(store, "feed", fails_for_a_while(feed))
    with at_work(workflow.bus):
        assert workflow.done.wait(SECONDS)
        until(lambda: sum(event == "works again" for event, _ in outages(lines)) == 2 or None)

    (model,) = workflow.bus.subscriptions
    assert sorted(outages(lines)) == sorted(
        (event, name) for event in ("not stored", "works again") for name in ("run_pending", model)
    )


def test_a_stream_that_cannot_be_read_is_an_error_line(
    workflow: Workflow, store: MemoryEventStore, monkeypatch: pytest.MonkeyPatch, lines: Lines
) -> None:
    def read(_stream_id: str) -> list[PendingCommand]:
        raise ValueError("year 0 is out of range")

    monkeypatch.setattr(store, "pending", read)
    with at_work(workflow.bus):
        until(lambda: lines() or None)

    (line,) = lines()
    assert (line["level"], line["event"]) == ("error", "faulty stream")
    assert (line["stream"], line["error"]) == (STREAM, "ValueError")
    assert line["reason"] == "year 0 is out of range"


@contextmanager
def at_work(bus: MessageBus) -> Iterator[EmbeddedWorker]:
    worker = EmbeddedWorker(SETTINGS, bus)
    worker.start()
    try:
        yield worker
    finally:
        worker.stop()


def outages(lines: Lines) -> list[tuple[str, str]]:
    return [
        (line["event"], line["runner"] if "runner" in line else line["subscriber"])
        for line in lines()
        if line["event"] in {"not stored", "works again"}
    ]


def returns() -> None:
    """The end of a runner, without an error."""


def raises() -> None:
    raise RuntimeError("a bug")


def exits() -> None:
    raise SystemExit(2)


def use_runner(monkeypatch: pytest.MonkeyPatch, end: Callable[[], None]) -> Event:
    """Have one runner, which ends so the first time. Returns an event: it runs the second time."""
    ends, again = [end], Event()

    def flaky(_settings: Settings, _bus: MessageBus, stop: Event) -> None:
        if ends:
            ends.pop()()
            return
        again.set()
        stop.wait(SECONDS)

    monkeypatch.setattr(entrypoint, "flaky", flaky, raising=False)
    monkeypatch.setattr(entrypoint, "RUNNERS", ("worker:flaky",))
    return again


@pytest.mark.parametrize(
    ("end", "reason"),
    [
        (returns, "it ended, and was not told to stop"),
        (raises, "it raised RuntimeError('a bug')"),
        (exits, "it raised SystemExit(2)"),
    ],
)
def test_a_runner_that_ends_is_an_error_line_and_is_started_again(
    monkeypatch: pytest.MonkeyPatch,
    workflow: Workflow,
    lines: Lines,
    end: Callable[[], None],
    reason: str,
) -> None:
    again = use_runner(monkeypatch, end)
    with at_work(workflow.bus) as worker:
        assert again.wait(SECONDS)
        assert worker.failed() == []

    (line,) = lines()
    assert (line["level"], line["runner"], line["error"]) == ("error", "flaky", "RunnerEnded")
    assert line["exception"].splitlines()[-1].endswith(f"RunnerEnded: {reason}")


def test_it_is_not_ready_while_a_runner_does_not_run(
    monkeypatch: pytest.MonkeyPatch, workflow: Workflow
) -> None:
    use_runner(monkeypatch, exits)
    monkeypatch.setattr(entrypoint, "INTERVAL", timedelta(hours=1))
    with (
        at_work(workflow.bus) as worker,
        client_of(app.create_app(workflow.bus, worker=worker)) as client,
    ):
        until(lambda: worker.failed() or None)
        answer = client.get("/ready")
        assert (answer.status_code, answer.json()["detail"]) == (503, "not running: flaky")
        worker._threads[0].is_down = False
        assert client.get("/ready").status_code == 200
        worker.stop()
        assert client.get("/ready").status_code == 503


@pytest.mark.parametrize(("setting", "runs"), [("embedded", True), ("external", False)])
def test_it_runs_where_the_settings_say_so(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, setting: str, runs: bool
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("STORE", "sqlite")
    monkeypatch.setenv("WORKER", setting)
    monkeypatch.setattr(log, "configure", lambda _settings: None)  # of the whole process

    assert ("run_pending" in live(app.from_environment(), None)) == runs


def test_a_worker_of_its_own_touches_its_file_while_all_of_it_runs(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, lines: Lines
) -> None:
    """What watches it sees an old file if a runner is down, or the process hangs."""
    turns, seen, down, alive = iter("abc"), list[bool](), [False], tmp_path / "alive"

    class Turns(Event):
        def wait(self, _timeout: float | None = None) -> bool:
            seen.append(alive.exists())
            alive.unlink(missing_ok=True)
            down[0] = len(seen) == 3
            return next(turns, None) is None

    monkeypatch.setattr(entrypoint, "Event", Turns)
    monkeypatch.setattr(entrypoint, "runners", list)
    monkeypatch.setattr(EmbeddedWorker, "failed", lambda _self: ["a"] if down[0] else [])
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    entrypoint.run(Settings(sqlite_path=tmp_path / "a.db", alive_file=alive))
    assert seen == [True, True, True, False]
