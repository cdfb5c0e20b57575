"""A small service to test the bus and the stores with: it counts."""

from collections.abc import Iterable
from typing import Any

from {{ cookiecutter.__package }}.bus import (
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
    """Adds one. With `carry_to`, a follow-up command adds one to that counter, too."""

    counter_id: str
    carry_to: str = ""


class Opened(Event):
    counter_id: str


class Added(Event):
    counter_id: str
    carry_to: str = ""


class GetTotal(Query[int]):
    counter_id: str


class Counter(Aggregate):
    total: int = 0

    @applies(Opened)
    def _opened(self, _event: Opened) -> None:
        self.total = 0

    @applies(Added)
    def _added(self, _event: Added) -> None:
        self.total += 1


class OpenHandler(CommandHandler[Open]):
    def handle(self, command: Open, uow: UnitOfWork) -> None:
        counter = Counter(command.counter_id)
        counter.record(Opened(counter_id=counter.id))
        uow.add(counter)


class AddHandler(CommandHandler[Add]):
    def handle(self, command: Add, uow: UnitOfWork) -> None:
        counter = uow.get(Counter, command.counter_id)
        counter.record(Added(counter_id=counter.id, carry_to=command.carry_to))


class WhenAdded(EventHandler[Added]):
    def handle(self, event: Added) -> Iterable[Command]:
        if event.carry_to:
            yield Add(counter_id=event.carry_to)


class GetTotalHandler(QueryHandler[GetTotal]):
    def handle(self, query: GetTotal, reader: Reader) -> int:
        return reader.get(Counter, query.counter_id).total


COMMANDS = ((Open, OpenHandler), (Add, AddHandler))
EVENTS: tuple[tuple[type[Event], list[Any]], ...] = ((Opened, []), (Added, [WhenAdded]))
QUERIES = ((GetTotal, GetTotalHandler),)


def make_bus(store: EventStore, **options: Any) -> MessageBus:
    """A bus that counts, on this store; the options are those of `bootstrap`."""
    tables = {"commands": COMMANDS, "events": EVENTS, "queries": QUERIES}
    return bootstrap(store=store, **{**tables, **options})
