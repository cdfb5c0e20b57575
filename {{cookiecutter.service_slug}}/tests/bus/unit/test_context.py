"""The context of a message: an entry point gives it, follow-ups inherit it, handlers see it."""

import logging
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import pytest

from {{ cookiecutter.__package }}.adapters.event_store.memory import MemoryEventStore
from {{ cookiecutter.__package }}.bus import (
    Aggregate,
    Clock,
    CodecError,
    Command,
    CommandHandler,
    Context,
    Dispatch,
    Event,
    EventHandler,
    Idempotency,
    IdSource,
    MessageBus,
    Query,
    QueryHandler,
    Reader,
    RecordedEvent,
    UnitOfWork,
    Worker,
    applies,
    bootstrap,
)
from {{ cookiecutter.__package }}.observability import log

from ...support.fakes import CountingIds, FakeClock
from ..support.logged import Lines, lines

__all__ = ["lines"]

ADA = Context("the request", actor="Ada", tenant="acme", traceparent="00-1-2-03")


class Walk(Command):
    """Take so many steps; the last of them an hour later, if that is asked for."""

    steps: int
    rest: bool = False


class Walked(Event):
    steps: int
    seen: str


class WhoAsks(Query[str]):
    """Who asks this."""


class Walker(Aggregate):
    @applies(Walked)
    def _walked(self, _event: Walked) -> None:
        pass


class WalkHandler(CommandHandler[Walk]):
    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def handle(self, command: Walk, uow: UnitOfWork) -> None:
        walker = Walker(f"at {command.steps}")
        seen = f"{uow.command_id} {uow.context.actor} {uow.context.depth}"
        walker.record(Walked(steps=command.steps, seen=seen))
        logging.getLogger("a.library").warning("a step")
        uow.add(walker)
        if command.rest:
            uow.schedule(Walk(steps=0), self._clock.now() + timedelta(hours=1))


class WhenWalked(EventHandler[Walked]):
    """The next step, for nobody but those that are known."""

    def handle(self, event: Walked, recorded: RecordedEvent) -> Iterable[Walk]:
        if event.steps > 1 and recorded.context.actor != "anonymous":
            yield Walk(steps=event.steps - 1, rest=event.steps == 2)


class WhoAsksHandler(QueryHandler[WhoAsks]):
    def handle(self, _query: WhoAsks, reader: Reader) -> str:
        return f"{reader.context.actor} in {reader.context.correlation_id}"


def make_bus(store: MemoryEventStore, clock: FakeClock, **options: Any) -> MessageBus:
    return bootstrap(
        commands=[(Walk, WalkHandler)],
        events=[(Walked, [WhenWalked])],
        queries=[(WhoAsks, WhoAsksHandler)],
        store=store,
        dependencies={Clock: clock, IdSource: CountingIds()},
        **options,
    )


@pytest.fixture
def store() -> MemoryEventStore:
    return MemoryEventStore()


@pytest.fixture
def bus(store: MemoryEventStore) -> MessageBus:
    return make_bus(store, FakeClock())


def contexts(store: MemoryEventStore) -> list[Context]:
    return [commit.context for commit in store.feed().commits]


def test_what_follows_inherits_it_and_says_what_caused_it_and_how_deep_it_is(
    bus: MessageBus, store: MemoryEventStore
) -> None:
    bus.handle(Walk(steps=3), context=ADA)
    assert contexts(store) == [
        ADA,
        ADA.caused_by("Walker/at 3@1"),
        ADA.caused_by("Walker/at 3@1").caused_by("Walker/at 2@1"),
    ]
    assert [context.depth for context in contexts(store)] == [0, 1, 2]
    assert {context.tenant for context in contexts(store)} == {"acme"}


def test_a_command_handler_sees_it_and_the_id_of_its_command(bus: MessageBus) -> None:
    (recorded,) = bus.handle(Walk(steps=1), context=ADA).events
    assert recorded.event == Walked(steps=1, seen="id-1 Ada 0")
    assert (recorded.causation_id, recorded.context) == ("id-1", ADA)


def test_the_command_id_is_the_same_whenever_a_key_is_sent(store: MemoryEventStore) -> None:
    seen = set()
    for _ in "ab":
        bus = make_bus(MemoryEventStore(), FakeClock())
        key = Idempotency("scope", "key", "print")
        (recorded,) = bus.handle(Walk(steps=1), idempotency=key).events
        seen.add(recorded.causation_id)
    assert len(seen) == 1


def test_an_event_handler_may_take_the_recorded_event_as_well(
    bus: MessageBus, store: MemoryEventStore
) -> None:
    bus.handle(Walk(steps=2))
    assert len(contexts(store)) == 1


def test_a_query_handler_sees_who_asks(bus: MessageBus) -> None:
    assert bus.ask(WhoAsks(), context=ADA) == "Ada in the request"
    assert bus.ask(WhoAsks(), correlation_id="c") == "anonymous in c"


def test_what_is_scheduled_inherits_it_and_begins_a_new_chain(
    store: MemoryEventStore,
) -> None:
    clock = FakeClock()
    bus = make_bus(store, clock)
    bus.handle(Walk(steps=2), context=ADA)
    clock.move(hours=2)
    assert Worker(bus).run_once() == 1
    last = contexts(store)[-1]
    assert (last.actor, last.depth, last.causation_id) == ("Ada", 0, "Walker/at 1@1")


def test_without_a_correlation_id_the_command_gives_its_own(
    bus: MessageBus, store: MemoryEventStore
) -> None:
    bus.handle(Walk(steps=1), context=Context(actor="Ada"))
    assert contexts(store) == [Context("id-1", actor="Ada")]


@pytest.mark.parametrize(
    "context",
    [
        Context("c", actor="a" * 1024),
        Context("c", actor="\u00e9" * 512),
        Context("NUL\0"),
        Context("c", tenant="\ud800"),
    ],
    ids=["too long", "too long in UTF-8", "NUL", "lone surrogate"],
)
def test_one_that_cannot_be_kept_is_refused(
    bus: MessageBus, store: MemoryEventStore, context: Context
) -> None:
    with pytest.raises(CodecError, match="the context"):
        bus.handle(Walk(steps=1), context=context)
    assert contexts(store) == []


def test_a_short_form_beside_a_whole_context_is_refused(bus: MessageBus) -> None:
    with pytest.raises(TypeError, match="either"):
        bus.handle(Walk(steps=1), context=ADA, correlation_id="c")


def test_every_line_carries_it_those_of_libraries_too_also_when_a_worker_runs(
    store: MemoryEventStore, lines: Lines
) -> None:
    options: Any = {"middleware": [log.log_messages], "dispatch": Dispatch(inline=False)}
    make_bus(store, FakeClock(), **options).handle(Walk(steps=2), context=ADA)
    Worker(make_bus(store, FakeClock(), **options)).run_once()
    logging.getLogger("a.library").warning("nothing is being handled")
    first, _, followed, _, last = lines()
    said = {"event": "a step", "logger": "a.library", "level": "warning"}
    context = {
        "message": "Walk",
        "message_id": "id-1",
        "correlation_id": "the request",
        "actor": "Ada",
        "tenant": "acme",
        "traceparent": "00-1-2-03",
        "depth": 0,
    }
    assert first == {**said, **context, "timestamp": first["timestamp"]}
    assert followed == {
        **first,
        "timestamp": followed["timestamp"],
        "message_id": followed["message_id"],
        "causation_id": "Walker/at 2@1",
        "depth": 1,
    }
    assert [line["event"] for line in lines()] == [
        "a step",
        "handled",
        "a step",
        "handled",
        last["event"],
    ]
    assert "message_id" not in last


def test_its_text_leaves_out_what_is_as_usual() -> None:
    assert Context("c").text() == '{"correlation_id":"c"}'
    assert Context.parse(ADA.text()) == ADA
