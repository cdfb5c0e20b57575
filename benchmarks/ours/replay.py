"""One aggregate with many events, loaded from a store; and the decoding of its texts alone."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from functools import cache
from typing import Any

import msgspec
from bench_service.bootstrap import create_store, open_store
from bench_service.bus import EventStore, MessageBus, StoredCommit
from bench_service.config import load_settings

from benchmarks.contender import serve, timed

from .counting import Added, GetTotal, Opened, make_bus

ID = "replayed"
BATCH = 5_000


@cache
def store() -> EventStore:
    settings = load_settings()
    create_store(settings)
    return open_store(settings)


@cache
def bus() -> MessageBus:
    return make_bus(store())


def commits(events: int) -> list[StoredCommit]:
    """So many commits of one event each, as so many commands leave them."""
    codec = bus().codecs.of_stream(f"Counter/{ID}")
    now = datetime.now(UTC)
    every: list[Any] = [Opened(counter_id=ID)]
    every += [Added(counter_id=ID, amount=number % 100) for number in range(events - 1)]
    texts = [codec.encode([event]) for event in every]
    return [
        StoredCommit(
            f"Counter/{ID}", version, 1, text, f"{version:032}", "Add", f"{version:032}", None, now
        )
        for version, text in enumerate(texts, 1)
    ]


kept: list[StoredCommit] = []


def fill(events: int) -> None:
    made = commits(events)
    for start in range(0, events, BATCH):
        store().restore(made[start : start + BATCH])
    kept.extend(made if "decode" in sys.argv else ())


def replay(n: int) -> float:
    query = GetTotal(counter_id=ID)
    return timed(lambda _number: bus().ask(query), n)


def decode(n: int) -> float:
    """Each text into its typed events, and nothing else."""
    decoder = msgspec.json.Decoder(list[Opened | Added])
    texts = [commit.events for commit in kept]

    def step(_number: int) -> None:
        for text in texts:
            decoder.decode(text)

    return timed(step, n)


if __name__ == "__main__":
    serve("msgspec", fill=fill, replay=replay, decode=decode)
