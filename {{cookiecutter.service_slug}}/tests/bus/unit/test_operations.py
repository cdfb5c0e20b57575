"""Operations: what whoever runs a service is told of it, as data."""

from datetime import datetime, timedelta
from typing import Any, ClassVar

import pytest

from {{ cookiecutter.__package }}.adapters.event_store.memory import MemoryEventStore
from {{ cookiecutter.__package }}.bus import (
    Aggregate,
    AggregateNotFound,
    Clock,
    Context,
    Dispatch,
    Event,
    MessageBus,
    PendingCommand,
    PendingKey,
    RecordedEvent,
    StoreUnavailable,
    StreamAppend,
    UnknownEvent,
    applies,
    bootstrap,
    operations,
)
from {{ cookiecutter.__package }}.bus.store.codec import Unknown

from ...support.fakes import FakeClock
from ..support import counter
from ..support.commits import commit
from ..support.counter import Add, Open

ADD = '[{"$type":"Add","counter_id":"a"}]'
NOT_KNOWN = '[{"$type":"Opened","counter_id":"a"},{"$type":"Renamed.v3","to":"\\u202e"}]'


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def bus(clock: FakeClock) -> MessageBus:
    """It counts, and leaves what follows to a worker."""
    store, later = MemoryEventStore(), Dispatch(inline=False)
    return counter.make_bus(store, dependencies={Clock: clock}, dispatch=later)


def write(bus: MessageBus, stream_id: str, events: str, count: int, **of_commit: Any) -> None:
    after = bus.store.load(stream_id).position
    bus.store.append(commit(StreamAppend(after, events, count), **of_commit))


def waiting_row(
    key: PendingKey, due_at: datetime, payload: str = ADD, *, in_order: bool = True
) -> PendingCommand:
    return PendingCommand(key, f"the command {key}", payload, Context("c"), 0, due_at, in_order)


def types(listed: list[operations.Listed]) -> list[str]:
    return [
        each.event.message_name if isinstance(each, RecordedEvent) else f"{each.event.name}?"
        for each in listed
    ]


def test_a_history_is_that_of_any_aggregate_by_the_name_of_its_stream(bus: MessageBus) -> None:
    bus.handle(Open(counter_id="a/b"))
    bus.handle(Add(counter_id="a/b"))
    found = operations.history(bus, "Counter/a/b")
    assert [each.event_id for each in found] == ["Counter/a/b@1", "Counter/a/b@2"]
    assert found[0].event == counter.Opened(counter_id="a/b")


def test_an_aggregate_that_is_not_there_is_refused_with_those_that_are(bus: MessageBus) -> None:
    for ask in (operations.history, operations.state):
        with pytest.raises(operations.NotFound, match=r"^there is no .* 'Contre'.* Counter$"):
            ask(bus, "Contre/a")


@pytest.mark.parametrize("unknown", ["", "b", "\0", "\ud800", "x" * 5000])
def test_an_id_of_nothing_is_not_found(bus: MessageBus, unknown: str) -> None:
    for ask in (operations.history, operations.state):
        with pytest.raises(AggregateNotFound):
            ask(bus, f"Counter/{unknown}")


def test_a_listing_shows_an_event_that_is_not_known_by_its_stored_name(bus: MessageBus) -> None:
    write(bus, "Counter/a", NOT_KNOWN, 2, context=Context("c"))
    found = operations.history(bus, "Counter/a")
    assert types(found) == ["Opened", "Renamed.v3?"]
    assert found[1].event == Unknown("Renamed.v3", {"to": "\u202e"})
    assert (found[1].event_id, found[1].version) == ("Counter/a@2", 2)
    assert types(operations.correlated(bus, "c", lambda *_: None)) == types(found)


def test_a_listing_goes_on_at_a_stream_that_no_aggregate_has(bus: MessageBus) -> None:
    write(bus, "Gone/a", '[{"$type":"Opened","counter_id":"a"}]', 1)
    (stored,) = bus.store.feed().commits
    assert types(operations.listed(bus, stored)) == ["Opened?"]


@pytest.mark.parametrize("text", ["", "[1]", "{}", '["x"]', "[{}]"])
def test_a_listing_goes_on_at_a_text_that_is_none(bus: MessageBus, text: str) -> None:
    for codec in (bus.codecs.commands, bus.codecs.of_stream("Counter/a")):
        assert codec.listed(text) == [Unknown("not readable", {})]


def test_a_state_that_cannot_be_folded_is_refused_with_the_name_of_its_stream(
    bus: MessageBus,
) -> None:
    write(bus, "Counter/a", NOT_KNOWN, 2)
    with pytest.raises(UnknownEvent, match=r"^Counter/a: 'Renamed.v3' is not known here"):
        operations.state(bus, "Counter/a")


def test_a_state_is_the_public_attributes_at_a_version(bus: MessageBus) -> None:
    bus.handle(Open(counter_id="a"))
    bus.handle(Add(counter_id="a"))
    now = operations.state(bus, "Counter/a")
    assert (now.aggregate, now.id, now.version) == (counter.Counter, "a", 2)
    assert now.attributes == {"total": 1}
    assert operations.state(bus, "Counter/a", 1).attributes == {"total": 0}
    assert operations.state(bus, "Counter/a", 2) == now


class Sketched(Event):
    pass


class Sketch(Aggregate):
    """It has attributes of every kind."""

    limit: ClassVar[int] = 3
    title: str = "none"
    unset: str

    @applies(Sketched)
    def _sketched(self, _event: Sketched) -> None:
        self._lines, self.pens = 1, {"red"}


def test_a_state_has_what_is_declared_or_set_and_nothing_private() -> None:
    bus = bootstrap(commands={}, events=[(Sketched, [])], store=MemoryEventStore())
    write(bus, "Sketch/a", '[{"$type":"Sketched"}]', 1)
    assert operations.state(bus, "Sketch/a").attributes == {"title": "none", "pens": {"red"}}


def test_a_version_beyond_the_end_is_refused_with_the_last_one(bus: MessageBus) -> None:
    bus.handle(Open(counter_id="a"))
    with pytest.raises(operations.NotFound, match=r"^Counter/a has no version 2: its last is 1$"):
        operations.state(bus, "Counter/a", 2)


def test_what_is_correlated_has_causes_before_effects_whatever_the_clocks_said(
    bus: MessageBus, clock: FakeClock
) -> None:
    for name in ("b", "a"):
        bus.handle(Open(counter_id=name), correlation_id="other")
    for seconds, event, stream, cause in (
        (5, "Added", "Counter/b", None),
        (0, "Added", "Counter/a", "Counter/b@2"),
        (-9, "Added", "Counter/b", "Counter/a@2"),
        (-20, "Added", "Counter/a", None),
        (7, "Opened", "Counter/c", None),
    ):
        text = ADD.replace('"Add"', f'"{event}"')
        at = clock.now() + timedelta(seconds=seconds)
        write(bus, stream, text, 1, context=Context("c", cause), recorded_at=at)
    found = operations.correlated(bus, "c", lambda *_: None)
    ids = ["Counter/b@2", "Counter/a@2", "Counter/a@3", "Counter/b@3", "Counter/c@1"]
    assert [each.event_id for each in found] == ids


def test_what_waits_says_for_what_and_until_when(bus: MessageBus, clock: FakeClock) -> None:
    started = clock.now()
    for name in ("a", "b"):
        bus.handle(Open(counter_id=name))
    for carried in ("b", "a"):
        bus.handle(Add(counter_id="a", carry_to=carried))
    (first, _) = bus.store.pending("Counter/a")
    bus.handle(Add(counter_id="b", carry_to="a"))
    assert bus.store.claim(first, started + timedelta(seconds=30))
    first_name, second = (PendingKey("Counter/a", version, 0) for version in (2, 3))
    due = PendingKey("Counter/b", 2, 0)
    shown = {each.row.key: each for each in operations.pending(bus)}
    assert {key: (each.name, each.waits_for, each.behind) for key, each in shown.items()} == {
        first_name: ("Add", "next attempt", None),
        second: ("Add", "earlier command", first_name),
        due: ("Add", "worker", None),
    }
    until = started + timedelta(seconds=30)
    assert [shown[key].until for key in (first_name, second, due)] == [until, until, started]
    assert list(shown) == [due, first_name, second]


def test_what_is_due_later_waits_for_its_time_and_holds_nothing_back(
    bus: MessageBus, clock: FakeClock
) -> None:
    now, tomorrow = clock.now(), clock.now() + timedelta(days=1)
    later, in_order, out_of_order = (PendingKey("command/1", 0, number) for number in range(3))
    bus.store.restore(
        [
            waiting_row(later, tomorrow, in_order=False),
            waiting_row(in_order, now),
            waiting_row(out_of_order, now, in_order=False),
        ]
    )
    waits = {each.row.key: each.waits_for for each in operations.pending(bus)}
    assert waits == {later: "due time", in_order: "worker", out_of_order: "worker"}


def test_a_stream_that_cannot_be_read_is_named_and_the_others_are_shown(
    bus: MessageBus, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = (PendingKey(f"Counter/{name}", 1, 0) for name in "ab")
    later = clock.now() + timedelta(seconds=1)
    bus.store.restore([waiting_row(first, clock.now()), waiting_row(second, later)])
    clock.move(seconds=9)
    readable = bus.store.pending
    fault: Exception = ValueError("year 0 is out of range")

    def read(stream_id: str) -> list[PendingCommand]:
        if stream_id == first.stream_id:
            raise fault
        return readable(stream_id)

    monkeypatch.setattr(bus.store, "pending", read)
    told: list[tuple[str, Exception]] = []
    found = operations.pending(bus, unreadable=lambda name, error: told.append((name, error)))
    assert ([each.row.key for each in found], told) == ([second], [(first.stream_id, fault)])
    with pytest.raises(ValueError, match="year 0"):
        operations.pending(bus)
    figures = operations.work(bus)
    assert (figures.due, figures.due_since) == (2, later)
    assert figures.unreadable == ((first.stream_id, fault),)
    fault = StoreUnavailable("it is away")
    with pytest.raises(StoreUnavailable):
        operations.work(bus)
    with pytest.raises(StoreUnavailable):
        operations.pending(bus, unreadable=lambda _name, _error: None)


def test_a_command_that_is_not_known_is_listed_by_its_stored_name(
    bus: MessageBus, clock: FakeClock
) -> None:
    row = waiting_row(PendingKey("Counter/a", 1, 0), clock.now(), '[{"$type":"Gone","n":1}]')
    bus.store.restore([row])
    (waiting,) = operations.pending(bus)
    assert (waiting.name, waiting.known, waiting.fields) == ("Gone", False, {"n": 1})
    assert waiting.waits_for == "release"
    operations.park(bus, row.key)
    assert operations.dead_letter(bus, row.key) == operations.dead_letters(bus)[0]
    assert operations.dead_letters(bus)[0].command == Unknown("Gone", {"n": 1})
    assert operations.dead_letters(bus)[0].row.error == "an operator gave it up"
    with pytest.raises(operations.NotFound, match="is no pending command"):
        operations.park(bus, row.key)


def test_a_dead_letter_is_replayed_or_dropped_once(bus: MessageBus, clock: FakeClock) -> None:
    rows = [waiting_row(PendingKey("Counter/a", 1, n), clock.now()) for n in (0, 1)]
    bus.store.restore(rows)
    for row in rows:
        assert bus.store.park(row, clock.now(), "a fault")
    operations.replay(bus, rows[0].key)
    operations.drop(bus, rows[1].key)
    for act in (operations.dead_letter, operations.replay, operations.drop):
        for row in rows:
            with pytest.raises(operations.NotFound, match="is no dead letter"):
                act(bus, row.key)
    assert [each.row.key for each in operations.pending(bus)] == [rows[0].key]


def test_figures_say_how_much_there_is_and_since_when(bus: MessageBus, clock: FakeClock) -> None:
    assert operations.work(bus) == operations.Work(0, 0, None, 0, None)
    second, day = timedelta(seconds=1), timedelta(days=1)
    start = clock.now()
    rows = [waiting_row(PendingKey("Counter/a", 1, n), start + n * second) for n in (0, 1, 2)]
    bus.store.restore([*rows, waiting_row(PendingKey("b", 1, 0), start + day)])
    clock.move(seconds=9)
    assert bus.store.park(rows[0], clock.now(), "a fault")
    assert operations.work(bus) == operations.Work(3, 2, start + second, 1, clock.now())
