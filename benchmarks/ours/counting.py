"""An aggregate as small as can be, on the service's own bus: one command, one event."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from bench_service.bus import (
    Aggregate,
    Command,
    CommandHandler,
    Event,
    EventHandler,
    EventStore,
    MessageBus,
    Query,
    QueryHandler,
    Reader,
    UnitOfWork,
    applies,
    bootstrap,
)


class Open(Command):
    counter_id: str


class Add(Command):
    counter_id: str
    amount: int


class Opened(Event):
    counter_id: str


class Added(Event):
    counter_id: str
    amount: int


class GetTotal(Query[int]):
    counter_id: str


class Counter(Aggregate):
    total: int

    @applies(Opened)
    def _opened(self, _event: Opened) -> None:
        self.total = 0

    @applies(Added)
    def _added(self, event: Added) -> None:
        self.total += event.amount


class OpenHandler(CommandHandler[Open]):
    def handle(self, command: Open, uow: UnitOfWork) -> None:
        counter = Counter(command.counter_id)
        counter.record(Opened(counter_id=command.counter_id))
        uow.add(counter)


class AddHandler(CommandHandler[Add]):
    def handle(self, command: Add, uow: UnitOfWork) -> None:
        counter = uow.get(Counter, command.counter_id)
        counter.record(Added(counter_id=command.counter_id, amount=command.amount))


class GetTotalHandler(QueryHandler[GetTotal]):
    def handle(self, query: GetTotal, reader: Reader) -> int:
        return reader.get(Counter, query.counter_id).total


def subscriber(number: int) -> type[EventHandler[Added]]:
    """An event handler that looks at every event and decides nothing."""

    class WhenAdded(EventHandler[Added]):
        def handle(self, event: Added) -> Iterable[Command]:  # noqa: ARG002 - nothing follows
            return ()

    WhenAdded.__name__ = f"WhenAdded{number}"
    return WhenAdded


def make_bus(store: EventStore, subscribers: int = 0, **options: Any) -> MessageBus:
    """A bus that counts, with so many handlers of each event."""
    return bootstrap(
        commands=((Open, OpenHandler), (Add, AddHandler)),
        events=((Opened, []), (Added, [subscriber(number) for number in range(subscribers)])),
        queries=((GetTotal, GetTotalHandler),),
        store=store,
        **options,
    )
