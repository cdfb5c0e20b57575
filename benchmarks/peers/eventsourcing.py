"""eventsourcing: an application that saves an aggregate, as its README shows; and one aggregate with
many events, from the store that PERSISTENCE_MODULE names."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from eventsourcing.application import Application
from eventsourcing.domain import Aggregate, event

from benchmarks.contender import serve, timed


class Counter(Aggregate):
    @event("Opened")
    def __init__(self) -> None:
        self.total = 0

    @event("Added")
    def add(self, amount: int) -> None:
        self.total += amount


class Counters(Application[UUID]):
    def open(self) -> UUID:
        counter = Counter()
        self.save(counter)
        return counter.id


def turn(n: int) -> float:
    counters = Counters()
    return timed(lambda _number: counters.open(), n)


kept: dict[str, Any] = {}


def fill(events: int) -> None:
    """One counter with so many events."""
    counters, counter = Counters(), Counter()
    for _ in range(events - 1):
        counter.add(1)
    counters.save(counter)
    kept.update(counters=counters, id=counter.id, total=events - 1)


def replay(n: int) -> float:
    def step(_number: int) -> None:
        counter: Counter = kept["counters"].repository.get(kept["id"])
        assert counter.total == kept["total"]

    return timed(step, n)


if __name__ == "__main__":
    serve("eventsourcing", turn=turn, fill=fill, replay=replay)
