"""eventsourcing: an application that saves an aggregate, as its README shows; and one aggregate with
many events, from the store that PERSISTENCE_MODULE names."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from eventsourcing.application import Application
from eventsourcing.domain import Aggregate, event

from benchmarks.contender import serve, timed

BATCH = 1_000


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


class Order(Aggregate):
    """The service's example, with the same data in its events."""

    @event("Created")
    def __init__(self, data: dict[str, Any]) -> None:
        self.data = data
        self.status = "created"

    @event("Processed")
    def process(self, result: dict[str, Any]) -> None:
        self.result = result
        self.status = "processed"

    @event("Archived")
    def archive(self, location: str) -> None:
        self.location = location
        self.status = "archived"


kept: dict[str, Any] = {}


def fill(count: int) -> None:
    """One order with so many events."""
    orders = Counters()
    order = Order({"item": "book", "quantity": 2})
    for number in range(1, count):
        if number % 2:
            order.process({"fields": ["item", "quantity"]})
        else:
            order.archive(f"orders/{order.id}.json")
        if number % BATCH == 0:
            orders.save(order)
    orders.save(order)
    kept.update(orders=orders, id=order.id, version=count)


def replay(n: int) -> float:
    def step(_number: int) -> None:
        order: Order = kept["orders"].repository.get(kept["id"])
        assert order.version == kept["version"]

    return timed(step, n)


if __name__ == "__main__":
    serve("eventsourcing", turn=turn, fill=fill, replay=replay)
