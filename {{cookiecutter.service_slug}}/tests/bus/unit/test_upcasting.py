"""Upcasters: every shape that was ever stored loads, and no wrong chain gets past the start."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from {{ cookiecutter.__package }}.adapters.event_store.memory import MemoryEventStore
from {{ cookiecutter.__package }}.bus import (
    Aggregate,
    Codec,
    Command,
    CommandHandler,
    ConfigurationError,
    Event,
    MessageBus,
    Position,
    Query,
    QueryHandler,
    Reader,
    StreamAppend,
    UnitOfWork,
    UnknownEvent,
    Upcaster,
    Upcasters,
    Worker,
    applies,
    bootstrap,
)

from ..support.commits import NOW, commit, follow_up

Stored = dict[str, Any]


class Priced(Event, version=3):
    cents: int
    currency: str


class Paid(Event, name="Settled"):
    cents: int


def same(stored: Stored) -> Stored:
    return stored


def to_cents(stored: Stored) -> Stored:
    return {"cents": stored["euros"] * 100}


def with_currency(stored: Stored) -> Stored:
    return {**stored, "currency": "EUR"}


CHAIN = (
    Upcaster("Priced", 1, to_cents),
    Upcaster("Priced", 2, with_currency),
    Upcaster("Payed", 1, same, to="Settled", to_version=1),
)


def codec(*upcasters: Upcaster) -> Codec[Event]:
    return Codec[Event]([Priced, Paid], Upcasters(upcasters or CHAIN))


@pytest.mark.parametrize(
    ("stored", "expected"),
    [
        ('{"$type":"Priced","euros":7}', Priced(cents=700, currency="EUR")),
        ('{"$type":"Priced.v2","cents":7}', Priced(cents=7, currency="EUR")),
        ('{"$type":"Priced.v3","cents":7,"currency":"CHF"}', Priced(cents=7, currency="CHF")),
        ('{"$type":"Payed","cents":7}', Paid(cents=7)),
    ],
)
def test_every_shape_that_was_stored_loads_as_the_present_one(stored: str, expected: Event) -> None:
    now = '{"$type":"Settled","cents":1}'
    assert codec().decode(f"[{now},{stored},{now}]") == [Paid(cents=1), expected, Paid(cents=1)]


@pytest.mark.parametrize(
    ("stored", "named"),
    [
        ('{"$type":"Priced.v4","cents":7}', "'Priced.v4' is not known"),
        ('{"$type":"Refunded"}', "'Refunded' is not known"),
        ('{"euros":7}', "None is not known"),
        ('{"$type":"Priced.v3","cents":"7","currency":"CHF"}', "the stored shape"),
        ('{"$type":"Priced","pounds":7}', "the upcaster of 'Priced' failed: KeyError"),
        ('{"$type":"Priced","euros":"7"}', "the stored shape"),
    ],
)
def test_what_is_not_known_stops_and_is_neither_dropped_nor_guessed(
    stored: str, named: str
) -> None:
    with pytest.raises(UnknownEvent) as stopped:
        codec().decode('[{"$type":"Settled","cents":1},' + stored + "]")
    assert named in str(stopped.value)


@pytest.mark.parametrize("returned", [None, [{"cents": 3}, {"cents": 4}], [], Priced])
def test_an_upcaster_that_returns_anything_but_one_object_is_named(returned: Any) -> None:
    broken = Upcaster("Priced", 1, lambda stored: returned)
    reason = f"upcaster of 'Priced' returned a {type(returned).__name__}, but must return a dict"
    with pytest.raises(UnknownEvent, match=reason):
        codec(broken).decode('[{"$type":"Priced","euros":7}]')


# At start


class Till(Aggregate):
    total = 0

    @applies(Priced)
    def _priced(self, event: Priced) -> None:
        self.total += event.cents

    @applies(Paid)
    def _paid(self, event: Paid) -> None:
        self.total -= event.cents


class Settle(Command, version=2):
    till_id: str
    cents: int


class SettleHandler(CommandHandler[Settle]):
    def handle(self, command: Settle, uow: UnitOfWork) -> None:
        till = Till(command.till_id)
        till.record(Paid(cents=command.cents))
        uow.add(till)


class GetTill(Query[Till]):
    till_id: str
    at: int | None = None


class GetTillHandler(QueryHandler[GetTill]):
    def handle(self, query: GetTill, reader: Reader) -> Till:
        return reader.get(Till, query.till_id, query.at)


COMMAND = Upcaster("Settle", 1, lambda stored: {**stored, "cents": 5})


def make_bus(*upcasters: Upcaster) -> MessageBus:
    return bootstrap(
        commands=[(Settle, SettleHandler)],
        events=[(Priced, []), (Paid, [])],
        queries=[(GetTill, GetTillHandler)],
        store=MemoryEventStore(),
        upcasters=upcasters,
    )


def test_a_whole_chain_starts() -> None:
    make_bus(*CHAIN, COMMAND)


def changed(number: int, **fields: Any) -> Callable[[], list[Upcaster]]:
    def chain() -> list[Upcaster]:
        upcasters = [*CHAIN, COMMAND]
        upcasters[number] = msgspec.structs.replace(upcasters[number], **fields)
        return upcasters

    return chain


@pytest.mark.parametrize(
    ("chain", "reason"),
    [
        (lambda: [*CHAIN, COMMAND, COMMAND], "two upcasters lift 'Settle'"),
        (lambda: [CHAIN[1], CHAIN[2], COMMAND], "no upcaster lifts 'Priced' to 'Priced.v3'"),
        (lambda: [CHAIN[0], CHAIN[2], COMMAND], "'Priced' to 'Priced.v2', which no message is"),
        (lambda: CHAIN, "no upcaster lifts 'Settle' to 'Settle.v2'"),
        (changed(1, to="Priced", to_version=1), "go round: Priced → Priced.v2 → Priced"),
        (changed(2, to="Lost"), "'Payed' to 'Lost', which no message is"),
        (
            changed(2, name="Settled", to="Settled", to_version=2),
            "lifts 'Settled', which is current",
        ),
    ],
)
def test_a_chain_that_is_not_whole_is_refused_by_name(
    chain: Callable[[], list[Upcaster]], reason: str
) -> None:
    with pytest.raises(ConfigurationError) as refused:
        make_bus(*chain())
    assert reason in str(refused.value)


def test_a_stream_of_old_and_new_shapes_loads() -> None:
    bus, end = make_bus(*CHAIN, COMMAND), Position.start("Till/t")
    new = '{"$type":"Priced.v3","cents":3,"currency":"CHF"}'
    old = '{"$type":"Priced","euros":7}'
    texts = [f"[{new}]", f"[{new},{old}]", '[{"$type":"Payed","cents":1}]']
    for count, text in zip((1, 2, 1), texts, strict=True):
        bus.store.append(commit(StreamAppend(end, text, count)))
        end = Position("Till/t", end.version + count)
    for at, total in ((None, 705), (1, 3), (2, 6), (3, 706), (4, 705), (9, 705)):
        till = bus.ask(GetTill(till_id="t", at=at))
        assert (till.total, till.version) == (total, min(at or 4, 4))


def test_a_command_that_waited_over_a_change_of_its_shape_runs() -> None:
    bus = make_bus(*CHAIN, COMMAND)
    row = follow_up("command/c", 0, due_at=NOW)
    old = msgspec.structs.replace(row, payload='[{"$type":"Settle","till_id":"t"}]')
    bus.store.append(commit(follow_ups=(old,)))
    assert Worker(bus).run_once() == 1
    assert bus.store.load("Till/t").position == Position("Till/t", 1)
    assert bus.store.parked() == []
