"""What a command costs as things grow: its stream, the store, the projections, the subscribers."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from functools import cache
from itertools import count
from typing import Any

import msgspec
from bench_service.adapters.event_store.memory import MemoryEventStore
from bench_service.bootstrap import create_store, open_store
from bench_service.bus import Context, MessageBus, Projection, RecordedEvent, StoredCommit
from bench_service.config import load_settings

from benchmarks.contender import serve, timed

from .counting import Add, Added, Counter, Open, Opened, make_bus

SHORT = 10
"""The commits of a stream, where it is the store that grows."""

SQLITE = """
INSERT INTO commits (stream_id, version, count, events, command_id, command, correlation_id,
    context, recorded_at)
WITH RECURSIVE number (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM number WHERE i < :commits - 1)
SELECT 'Counter/' || (i / 10), i % 10 + 1, 1,
    CASE i % 10 WHEN 0 THEN :opened ELSE :added END, printf('%032d', i), 'Add', printf('%032d', i),
    printf('{"correlation_id":"%032d"}', i), :now
FROM number
"""
POSTGRES = """
INSERT INTO commits (stream_id, version, count, events, command_id, command, correlation_id,
    context, recorded_at)
SELECT 'Counter/' || (i / 10), i %% 10 + 1, 1,
    CASE i %% 10 WHEN 0 THEN %(opened)s ELSE %(added)s END,
    lpad(i::text, 32, '0'), 'Add', lpad(i::text, 32, '0'),
    '{"correlation_id":"' || lpad(i::text, 32, '0') || '"}', %(now)s::timestamptz
FROM generate_series(0, %(commits)s - 1) AS i
"""
HEADS = """
INSERT INTO streams (stream_id, version)
SELECT 'Counter/' || i, 10 FROM generate_series(0, %(commits)s / 10 - 1) AS i
"""


@cache
def store() -> Any:
    settings = load_settings()
    create_store(settings)
    return open_store(settings)


def fill(commits: int) -> None:
    """So many commits in short streams, put there in bulk."""
    bus, opened, added = make_bus(store()), Opened(counter_id="c"), Added(counter_id="c", amount=1)
    codec = bus.codecs.of_stream("Counter/")
    now = datetime.now(UTC).isoformat(timespec="microseconds")
    values = {
        "commits": commits,
        "opened": codec.encode([opened]),
        "added": codec.encode([added]),
        "now": now,
    }
    if sys.argv[1] == "sqlite":
        with store()._database.writing() as connection:
            connection.execute(SQLITE, values)
        with store()._database.connection() as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return
    with store()._database.connection() as connection:
        connection.execute("SET statement_timeout = 0")
        connection.seconds = 3600.0
        connection.execute(POSTGRES, values)
        connection.execute(HEADS, values)
        connection.execute("VACUUM ANALYZE")
        connection.execute("CHECKPOINT")


turns = count()


def somewhere(n: int, commits: int) -> float:
    """A command on a stream here and there in the store: loaded, and appended to."""
    bus, streams, first = make_bus(store()), commits // SHORT, next(turns) * 7919
    places = [str((first + number * 104_729) % streams) for number in range(n)]
    return timed(lambda number: bus.handle(Add(counter_id=places[number], amount=1)), n)


@cache
def counting(snapshot_every: int) -> MessageBus:
    return make_bus(store(), snapshot_every=snapshot_every)


def copies(length: int) -> int:
    """How many streams of a length there are, so that commands on them leave it what it is."""
    return max(5, min(200, 20_000 // length))


def fill_streams(length: int, snapshot_every: int) -> None:
    """Streams with so many events each; and where there are to be snapshots, they are made."""
    bus, now = counting(snapshot_every), datetime.now(UTC)
    for copy in range(copies(length)):
        name = f"{length}-{snapshot_every}-{copy}"
        every = [Opened(counter_id=name), *[Added(counter_id=name, amount=1)] * (length - 1)]
        texts = [bus.codecs.of_stream("Counter/").encode([event]) for event in every]
        store().restore(
            [
                StoredCommit(f"Counter/{name}", version, 1, text, "0", "Add", Context("0"), now)
                for version, text in enumerate(texts, 1)
            ]
        )
        if snapshot_every:
            bus.handle(Add(counter_id=name, amount=1))


def on(n: int, length: int, snapshot_every: int) -> float:
    """A command on these streams, in turn."""
    bus, there = counting(snapshot_every), copies(length)
    commands = [
        Add(counter_id=f"{length}-{snapshot_every}-{number % there}", amount=1)
        for number in range(n)
    ]
    seconds = timed(lambda number: bus.handle(commands[number]), n)
    if not snapshot_every:
        for copy in range(there):
            store()._database.change(
                "DELETE FROM commits WHERE stream_id = ? AND version > ?",
                (f"Counter/{length}-0-{copy}", length),
            )
    return seconds


class Row(msgspec.Struct, frozen=True):
    total: int


def projection(number: int) -> type[Projection[Row]]:
    """A read model of the totals."""

    class Totals(Projection[Row], of=Counter, labels=("counter",), name=f"totals{number}"):
        def apply(self, row: Row | None, recorded: RecordedEvent) -> Row | None:
            amount = recorded.event.amount if isinstance(recorded.event, Added) else 0
            return Row((row.total if row else 0) + amount)

        def label(self, _row: Row) -> str:
            return "counter"

        def sort(self, _row: Row) -> str:
            return ""

    return Totals


def watched(n: int, projections: int, subscribers: int) -> float:
    """A command in memory, with so many projections and so many handlers of its event."""
    bus = make_bus(
        MemoryEventStore(),
        subscribers,
        projections=[projection(each) for each in range(projections)],
    )
    bus.handle(Open(counter_id="c"))
    commands = [Open(counter_id=str(number)) for number in range(n)]
    for command in commands:
        bus.handle(command)
    return timed(lambda number: bus.handle(Add(counter_id=str(number), amount=1)), n)


def projected(n: int, projections: int) -> float:
    """The seconds that so many projections together take to see so many commits, divided by their
    number."""
    bus = make_bus(
        MemoryEventStore(), projections=[projection(each) for each in range(projections)]
    )
    for number in range(n):
        bus.handle(Open(counter_id=str(number)))
    subscriptions = list(bus.subscriptions.values())

    def step(number: int) -> None:
        while subscriptions[number].advance():
            pass

    return timed(step, projections) / projections


if __name__ == "__main__":
    serve(
        fill=fill,
        somewhere=somewhere,
        fill_streams=fill_streams,
        on=on,
        watched=watched,
        projected=projected,
    )
