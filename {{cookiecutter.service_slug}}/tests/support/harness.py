"""The service in memory, to be specified: given these events, when this command, then those events.

    scenario.given(events.OrderCreated(order_id="1", data={})).when(
        commands.ProcessOrder(order_id="1")
    ).then(events.OrderProcessed(...), events.OrderArchived(...))

The wiring is the real one; only the store, the files, the clock and the ids are in memory. The
follow-ups of a command run as well, unless it is sent `alone`. Time passes only with `advance`, and
`as_` says who sends what comes next.
"""

import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, Self

import msgspec

from {{ cookiecutter.__package }}.adapters.event_store.memory import MemoryEventStore
from {{ cookiecutter.__package }}.adapters.files import MemoryFileStore
from {{ cookiecutter.__package }}.bootstrap import make_bus
from {{ cookiecutter.__package }}.bus import (
    Aggregate,
    Clock,
    Command,
    Commit,
    Context,
    Dispatch,
    DomainError,
    Envelope,
    Event,
    EventStore,
    IdSource,
    MessageBus,
    Middleware,
    Next,
    Query,
    RecordedEvent,
    StreamAppend,
    Worker,
    operations,
)
from {{ cookiecutter.__package }}.config import Settings
from {{ cookiecutter.__package }}.service.ports.files import FileStore

from .fakes import CountingIds, FakeClock

TO_THE_END = Dispatch(seconds=1_000_000)
"""All follow-ups run inline, those with a long time limit as well."""

ROUNDS = 5000
"""How often `advance` lets the worker look for due commands, at most."""


class Scenario:
    """One service in memory, for one test. `recorded` are the events of the last step, each with
    its stream, its time and its context."""

    def __init__(self, store: EventStore | None = None) -> None:
        self.store: EventStore = store or MemoryEventStore()
        self.files = MemoryFileStore()
        self.clock, self.ids = FakeClock(), CountingIds()
        self.dependencies: dict[Any, Any] = {  # a test may add to them, or replace them
            FileStore: self.files,
            Clock: self.clock,
            IdSource: self.ids,
        }
        self.recorded: list[RecordedEvent] = []
        self._context = Context()
        self._refusal: DomainError | None = None
        self._faults: list[Exception] = []

    def as_(self, **context: Any) -> Self:
        """Whatever comes next has this context, until the next `as_`. The arguments are fields of
        `Context`: `as_(actor="alice", tenant="acme")`."""
        self._context = Context(**context)
        return self

    def given(self, *events: Event, stream: str = "") -> Self:
        """These events have happened already, one commit each, and all their follow-ups have run.

        By convention, an event belongs to the one aggregate that applies it, and its field
        `order_id` is the id of the `Order`. For an event that is otherwise, name the stream:
        `given(event, stream="Order/1")`.
        """
        codecs = self._bus().codecs
        for event in events:
            stream_id = _stream_of(event, codecs.aggregates.values(), stream)
            position, command_id = self.store.load(stream_id).position, self.ids.new_id()
            correlation_id = self._context.correlation_id or command_id
            text = codecs.of_stream(stream_id).encode([event])
            self.store.append(
                Commit(
                    command_id=command_id,
                    command="Given",
                    context=msgspec.structs.replace(self._context, correlation_id=correlation_id),
                    recorded_at=self.clock.now(),
                    appends=(StreamAppend(position, text, 1),),
                )
            )
        return self

    def when(self, command: Command, *, alone: bool = False) -> Self:
        """Send this command. Its follow-ups run too; with `alone`, they stay pending."""
        bus = self._next_step(Dispatch(steps=0) if alone else TO_THE_END)
        try:
            bus.handle(command, context=self._context)
        except DomainError as refusal:
            self._refusal = refusal
        return self

    def advance(self, **by: float) -> Self:
        """Let this much time pass, as `timedelta` takes it: `advance(minutes=15)`. Each command
        that becomes due runs at its time, as a worker would run it, and so do its follow-ups.
        `then` compares what was recorded meanwhile."""
        bus, end = self._next_step(), self.clock.now() + timedelta(**by)
        worker = Worker(bus)
        for _ in range(ROUNDS):
            waiting = operations.pending(bus)
            if not waiting or waiting[0].until > end:
                self._move_to(end)
                return self
            self._move_to(waiting[0].until)
            worker.run_once()
        raise AssertionError(f"there is always something due:{_shown(waiting)}")

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
        """Exactly these commands are still to be run, of all streams, the first to run first.
        Scheduled commands are among them."""
        waiting = operations.pending(self._bus())
        expected, found = list(commands), [each.command for each in waiting]
        assert found == expected, f"expected {expected}, but pending are{_shown(waiting)}"
        return self

    def then_scheduled(self, command: Command, at: datetime) -> Self:
        """This command is scheduled once, and its due time is `at`. Other commands may be pending
        too: `then_pending` names them all."""
        waiting = operations.pending(self._bus())
        scheduled = [each for each in waiting if each.waits_for == "due time"]
        times = [each.row.due_at for each in scheduled if each.command == command]
        assert times == [at], f"expected {command} at {at}, scheduled are{_shown(scheduled)}"
        return self

    def ask(self, query: Query[Any]) -> Any:
        """The answer to a query, as of now. Read models are brought up to date first."""
        bus = self._bus()
        for name in bus.projectors:
            while bus.subscriptions[name].advance():
                pass
        return bus.ask(query, context=self._context)

    def _next_step(self, dispatch: Dispatch | None = None) -> MessageBus:
        """The bus of a step whose events, refusal and faults are noted."""
        self.recorded, self._refusal, self._faults = [], None, []
        return self._bus(dispatch or TO_THE_END, [self._observe])

    def _bus(
        self, dispatch: Dispatch | None = None, middleware: Iterable[Middleware] = ()
    ) -> MessageBus:
        return make_bus(
            Settings(store="memory"),
            store=self.store,
            dependencies=self.dependencies,
            middleware=middleware,
            dispatch=dispatch,
        )

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

    def _move_to(self, moment: datetime) -> None:
        ahead = moment - self.clock.now()
        self.clock.move(seconds=max(0.0, ahead.total_seconds()))


def _shown(waiting: list[operations.Waiting]) -> str:
    lines = [f"{each.command}: {each.waits_for}, until {each.until}" for each in waiting]
    return "\n  ".join(["", *lines]) if lines else " none"


def _stream_of(event: Event, aggregates: Iterable[type[Aggregate]], stream: str) -> str:
    """The stream that an event of `given` belongs to: the one that is named, or that of the
    convention."""
    name = type(event).__name__
    owners = {each.stream_name: each for each in aggregates if type(event) in each.appliers}
    applied = f"{name} is applied by {' and '.join(owners)}"
    assert owners, f"no aggregate of this service applies {name}"
    if stream:
        assert stream.partition("/")[0] in owners, f"{applied}, and {stream!r} is no such stream"
        return stream
    owner, *others = owners.values()
    hint = f"name its stream, as in given(..., stream='{owner.stream_name}/1')"
    assert not others, f"{applied}: {hint}"
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", owner.__name__)
    field = f"{words.lower()}_id"
    assert hasattr(event, field), f"{applied}, but has no field {field}: {hint}"
    return owner.stream_of(getattr(event, field))
