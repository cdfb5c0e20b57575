"""One aggregate with many events, loaded from a store; and the decoding of its texts alone."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from functools import cache

import msgspec
from bench_service.bootstrap import create_store, make_bus, open_store
from bench_service.bus import Context, EventStore, MessageBus, StoredCommit
from bench_service.config import load_settings
from bench_service.domain.order import events
from bench_service.service.order import queries

from benchmarks.contender import serve, timed

ID = "4f0c1d2e3b5a69788796a5b4c3d2e1f0"
BATCH = 5_000


@cache
def store() -> EventStore:
    settings = load_settings()
    create_store(settings)
    return open_store(settings)


@cache
def bus() -> MessageBus:
    return make_bus(load_settings(), store=store())


def commits(count: int) -> list[StoredCommit]:
    """So many commits of one event each, as so many commands leave them."""
    codec, now, location = (
        bus().codecs.of_stream(f"Order/{ID}"),
        datetime.now(UTC),
        f"orders/{ID}.json",
    )
    cycle = (
        events.OrderCreated(order_id=ID, data={"item": "book", "quantity": 2}),
        events.OrderProcessed(order_id=ID, result={"fields": ["item", "quantity"]}),
        events.OrderArchived(order_id=ID, location=location),
    )
    return [
        StoredCommit(
            f"Order/{ID}",
            version,
            1,
            codec.encode([cycle[version % 3 - 1]]),
            f"{version:032}",
            "ProcessOrder",
            Context(f"{version:032}"),
            now,
        )
        for version in range(1, count + 1)
    ]


kept: list[StoredCommit] = []


def fill(count: int) -> None:
    made = commits(count)
    for start in range(0, count, BATCH):
        store().restore(made[start : start + BATCH])
    kept.extend(made if "decode" in sys.argv else ())


def replay(n: int) -> float:
    query = queries.GetOrder(order_id=ID)
    return timed(lambda _number: bus().ask(query), n)


def decode(n: int) -> float:
    """Each text into its typed events, and nothing else."""
    decoder = msgspec.json.Decoder(
        list[
            events.OrderCreated | events.OrderProcessed | events.OrderArchived | events.OrderFailed
        ]
    )
    texts = [commit.events for commit in kept]

    def step(_number: int) -> None:
        for text in texts:
            decoder.decode(text)

    return timed(step, n)


if __name__ == "__main__":
    serve("msgspec", fill=fill, replay=replay, decode=decode)
