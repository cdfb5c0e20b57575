"""The rendered worker on Postgres: the service's own orders, and commands that wait.

The kinds: `orders`, the service as rendered, what is archived goes to a dictionary; `waiting`, each
command leads to one that waits as long as an outside system would take.
"""

from __future__ import annotations

import itertools
import os
import random
import sys
import time
from collections.abc import Iterable
from functools import cache
from threading import Condition, Event, Thread
from typing import Any
from zlib import crc32

from bench_service import bootstrap
from bench_service.adapters.files import MemoryFileStore
from bench_service.bus import (
    Command,
    CommandHandler,
    Dispatch,
    EventHandler,
    MessageBus,
    Supervisor,
    UnitOfWork,
    Worker,
)
from bench_service.bus import bootstrap as wire
from bench_service.config import load_settings
from bench_service.domain.order import commands
from bench_service.observability import log
from bench_service.service.ports.files import FileStore

from benchmarks.contender import serve, timed, together

from . import counting

DATA = {"item": "book", "quantity": 2}
FILLING, POLL_SECONDS, LONGEST_SECONDS = 8, 0.05, 120.0

settings = load_settings()
log.configure(settings)
ids = (f"{os.getpid()}-{number}" for number in itertools.count())


class Noted:
    """What ran in this process: when each wait began, how many workflows ended, and the last time
    that a command did."""

    def __init__(self) -> None:
        self.begun: dict[str, float] = {}
        self.archived, self.last, self.pause = 0, 0.0, 0.0
        self.changed = Condition()

    def middleware(self, envelope: Any, following: Any) -> Any:
        result = following(envelope)
        self.last = time.perf_counter()
        if type(envelope.message) is commands.ArchiveOrder:
            with self.changed:
                self.archived += 1
                self.changed.notify_all()
        return result


noted = Noted()


class Wait(Command):
    counter_id: str


class WhenOpened(EventHandler[counting.Opened]):
    def handle(self, event: counting.Opened) -> Iterable[Wait]:
        yield Wait(counter_id=event.counter_id)


class WaitHandler(CommandHandler[Wait]):
    def handle(self, command: Wait, uow: UnitOfWork) -> None:
        noted.begun[command.counter_id] = time.perf_counter()
        if noted.pause:
            time.sleep(noted.pause)
        counter = uow.get(counting.Counter, command.counter_id)
        counter.record(counting.Added(counter_id=command.counter_id, amount=1))


class Share:
    """Which of the due streams this process sees: all of them, or one of several equal parts."""

    number, of = 0, 1


@cache
def store() -> Any:
    opened = bootstrap.open_store(settings)
    due = opened.due

    def due_of_share(now: Any, limit: int, part: int | None = None) -> list[str]:
        if Share.of == 1:
            return due(now, limit, part)
        found = due(now, limit * Share.of)
        return [name for name in found if crc32(name.encode()) % Share.of == Share.number]

    opened.due = due_of_share
    return opened


@cache
def bus(threads: int) -> MessageBus:
    """The bus of a process whose worker has so many threads."""
    supervisor = Supervisor(threads=threads)
    if sys.argv[1] == "waiting":
        return wire(
            commands=((counting.Open, counting.OpenHandler), (Wait, WaitHandler)),
            events=((counting.Opened, [WhenOpened]), (counting.Added, [])),
            store=store(),
            middleware=[log.log_messages, noted.middleware],
            dispatch=Dispatch(inline=settings.dispatch == "inline"),
            supervisor=supervisor,
        )
    return bootstrap.make_bus(
        settings,
        store=store(),
        dependencies={FileStore: MemoryFileStore()},
        middleware=[noted.middleware],
        supervisor=supervisor,
    )


def new() -> Command:
    """What begins a workflow, in a stream of its own."""
    if sys.argv[1] == "waiting":
        return counting.Open(counter_id=next(ids))
    return commands.CreateOrder(order_id=next(ids), data=DATA)


def create() -> dict[str, str]:
    """Make the tables. Returns what the server does to keep a commit."""
    bootstrap.create_store(settings)
    names = ("fsync", "synchronous_commit", "server_version")
    with store()._database.connection() as connection:
        return {name: connection.execute(f"SHOW {name}").fetchone()[0] for name in names}


def callers(n: int, count: int = FILLING) -> float:
    """So many threads begin so many workflows together. Returns the seconds."""
    share = [[new() for _ in range(name, n, count)] for name in range(count)]

    def work(name: int) -> None:
        for command in share[name]:
            bus(FILLING).handle(command)

    return together(work, count)


def turn(n: int) -> float:
    """One caller."""
    given = [new() for _ in range(n)]
    return timed(lambda number: bus(FILLING).handle(given[number]), n)


def fill(count: int) -> None:
    """A backlog of so many streams, and a table that is as tidy as it was the last time."""
    with store()._database.connection() as connection:
        connection.execute("TRUNCATE pending")
    callers(count)
    with store()._database.connection() as connection:
        connection.execute("VACUUM (ANALYZE) pending, commits, streams")
        connection.execute("CHECKPOINT")


def drained() -> None:
    """Return when no command is left. This does not time the end: the workers do."""
    until = time.monotonic() + LONGEST_SECONDS
    with store()._database.connection() as connection:
        while connection.execute("SELECT FROM pending LIMIT 1").fetchone() is not None:
            if time.monotonic() > until:
                raise TimeoutError("the backlog was not drained")
            time.sleep(POLL_SECONDS)


class Running:
    """A worker of this process, and its bus: a commit of another bus does not wake it."""

    def __init__(self, threads: int) -> None:
        self.bus, self.stop = bus(threads), Event()
        self.thread = Thread(target=Worker(self.bus).run, args=(self.stop,))
        self.thread.start()


running: list[Running] = []


def begin(threads: int, pause: float = 0.0, share: int = 0, of: int = 1) -> None:
    """Start a worker with so many threads, whose commands wait so many seconds; and which sees one
    of so many parts of what is due."""
    noted.last, noted.pause = 0.0, pause
    Share.number, Share.of = share, of
    running.append(Running(threads))


def end() -> float:
    """Stop the worker. Returns when it last ran a command."""
    worker = running.pop()
    worker.stop.set()
    worker.thread.join()
    return noted.last


def commits(n: int, low: float, high: float) -> dict[str, float]:
    """So many commits, one after the other, this many seconds apart at random. Returns when each was
    asked for, so that what follows is timed from there, the commit included."""
    asked: dict[str, float] = {}
    through = running[-1].bus if running else bus(FILLING)
    for _ in range(n):
        time.sleep(random.uniform(low, high))
        command = new()
        asked[command.counter_id] = time.perf_counter()
        through.handle(command)
    return asked


def begun(names: list[str]) -> list[float]:
    """When the follow-ups of these commits began in this process, once all have."""
    until = time.monotonic() + LONGEST_SECONDS
    while not all(name in noted.begun for name in names):
        if time.monotonic() > until:
            raise TimeoutError("a command did not begin")
        time.sleep(POLL_SECONDS)
    return [noted.begun[name] for name in names]


def drain(n: int, count: int) -> float:
    """Begin so many workflows in so many threads, then run what follows by a worker with as many."""
    wanted = noted.archived + n
    started = time.perf_counter()
    callers(n, count)
    begin(count)
    with noted.changed:
        if not noted.changed.wait_for(lambda: noted.archived >= wanted, LONGEST_SECONDS):
            raise TimeoutError("the backlog was not drained")
    return end() - started


if __name__ == "__main__":
    serve(
        "psycopg",
        "psycopg-pool",
        create=create,
        callers=callers,
        turn=turn,
        fill=fill,
        drained=drained,
        begin=begin,
        end=end,
        commits=commits,
        begun=begun,
        drain=drain,
    )
