"""The service in memory, to be specified: given these events, when this command, then those events.

    scenario.given(events.OrderCreated(order_id="1", data={})).when(
        commands.ProcessOrder(order_id="1")
    ).then(events.OrderProcessed(...), events.OrderArchived(...))

The wiring is the real one; only the store, the files, the clock and the ids are in memory. The
follow-ups of a command run as well, unless it is sent `alone`.
"""

import re
from typing import Any, Self

from {{ cookiecutter.__package }}.adapters.event_store.memory import MemoryEventStore
from {{ cookiecutter.__package }}.adapters.files import MemoryFileStore
from {{ cookiecutter.__package }}.bootstrap import make_bus
from {{ cookiecutter.__package }}.bus import (
    Aggregate,
    Clock,
    Codec,
    Command,
    Commit,
    Context,
    Dispatch,
    DomainError,
    Envelope,
    Event,
    IdSource,
    Next,
    Position,
    Query,
    RecordedEvent,
    StreamAppend,
)
from {{ cookiecutter.__package }}.config import Settings
from {{ cookiecutter.__package }}.service.ports.files import FileStore

from .fakes import CountingIds, FakeClock


class Scenario:
    """One service in memory, for one test."""

    def __init__(self) -> None:
        self.store, self.files = MemoryEventStore(), MemoryFileStore()
        self.clock, self.ids = FakeClock(), CountingIds()
        self.dependencies: dict[Any, Any] = {  # a test may add to them, or replace them
            FileStore: self.files,
            Clock: self.clock,
            IdSource: self.ids,
        }
        self.recorded: list[RecordedEvent] = []
        self._refusal: DomainError | None = None
        self._faults: list[Exception] = []

    def given(self, *events: Event) -> Self:
        """These events have happened already, one commit each, and all their follow-ups have
        run."""
        for event in events:
            aggregate_type = _aggregate_of(event)
            stream_id = aggregate_type.stream_of(_aggregate_id(event, aggregate_type))
            position = self.store.load(stream_id).position
            self.store.append(_commit_of(event, position, self.ids.new_id(), self.clock))
        return self

    def when(self, command: Command, *, alone: bool = False) -> Self:
        """Send this command. Its follow-ups run too; with `alone`, they stay pending."""
        dispatch = Dispatch(steps=0) if alone else Dispatch()
        self.recorded, self._refusal, self._faults = [], None, []
        bus = make_bus(
            Settings(store="memory"),
            store=self.store,
            dependencies=self.dependencies,
            middleware=[self._observe],
            dispatch=dispatch,
        )
        try:
            bus.handle(command)
        except DomainError as refusal:
            self._refusal = refusal
        return self

    def then(self, *events: Event) -> Self:
        """Exactly these events were recorded, in this order, with these fields."""
        self._reraise()
        happened = [recorded.event for recorded in self.recorded]
        assert happened == list(events), f"expected {list(events)}, but there happened {happened}"
        return self

    def then_nothing(self) -> Self:
        """The command was accepted, and recorded no event."""
        return self.then()

    def then_refused(self, error: type[DomainError], saying: str = "") -> Self:
        """The command was refused with exactly this error, and recorded no event. `saying` is a
        part of the error's text."""
        assert self._refusal is not None, f"expected {error.__name__}, but it was not refused"
        assert type(self._refusal) is error, f"expected {error.__name__}, but {self._refusal!r}"
        assert saying in str(self._refusal), f"expected {saying!r}, but it says {self._refusal}"
        assert not self.recorded, f"refused, and yet there happened {self.recorded}"
        return self

    def then_pending(self, *commands: Command) -> Self:
        """Exactly these commands are still to be run, in this order within each stream."""
        codec = Codec({type(command): None for command in commands})
        waiting = [row for stream_id in self._streams() for row in self.store.pending(stream_id)]
        decoded = [command for row in waiting for command in codec.decode(row.payload)]
        assert decoded == list(commands), f"expected {list(commands)}, but {decoded} are pending"
        return self

    def ask(self, query: Query[Any]) -> Any:
        """The answer to a query, as of now."""
        bus = make_bus(Settings(store="memory"), store=self.store, dependencies=self.dependencies)
        return bus.ask(query)

    def _observe(self, envelope: Envelope, handle: Next) -> Any:
        try:
            committed = handle(envelope)
        except DomainError as refusal:
            if envelope.consumes:
                self._faults.append(refusal)
            raise
        except Exception as fault:
            self._faults.append(fault)
            raise
        self.recorded.extend(committed.events)
        return committed

    def _reraise(self) -> None:
        for error in (self._refusal, *self._faults):
            if error is not None:
                raise AssertionError(f"a command failed: {error!r}") from error

    def _streams(self) -> list[str]:
        return list(dict.fromkeys(recorded.stream_id for recorded in self.recorded))


def _commit_of(event: Event, position: Position, command_id: str, clock: FakeClock) -> Commit:
    return Commit(
        command_id=command_id,
        command="Given",
        context=Context(command_id),
        recorded_at=clock.now(),
        appends=(StreamAppend(position, Codec([type(event)]).encode([event]), 1),),
    )


def _aggregate_of(event: Event) -> type[Aggregate]:
    (owner,) = [cls for cls in Aggregate.__subclasses__() if type(event) in cls.appliers]
    return owner


def _aggregate_id(event: Event, aggregate_type: type[Aggregate]) -> str:
    """The field that is named after the aggregate, by convention: `order_id` of an `Order`."""
    snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", aggregate_type.__name__)
    found: str = getattr(event, f"{snake.lower()}_id")
    return found
