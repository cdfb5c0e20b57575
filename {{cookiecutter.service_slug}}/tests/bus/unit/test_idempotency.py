"""Commands under an idempotency key: sent again, they have no second effect, and one answer."""

from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest

from {{ cookiecutter.__package }}.adapters.event_store.memory import MemoryEventStore
from {{ cookiecutter.__package }}.bus import (
    Clock,
    Command,
    CommandHandler,
    Commit,
    DomainError,
    Envelope,
    Idempotency,
    IdempotencyKeyReused,
    IdempotencyRecord,
    MessageBus,
    Next,
    RandomIds,
    StoreUnavailable,
    UnitOfWork,
)

from ...support.fakes import FakeClock
from ...support.race import all_at_once
from ..support import counter

KEY = Idempotency("POST /counters", "k", "fingerprint")


class OpenAny(Command):
    """Opens a counter under an id that the handler makes up."""


class OpenAnyHandler(CommandHandler[OpenAny]):
    def handle(self, command: OpenAny, uow: UnitOfWork) -> None:
        opened = counter.Counter(RandomIds().new_id())
        opened.record(counter.Opened(counter_id=opened.id))
        uow.add(opened)


class DoNothing(Command):
    """Is handled, and nothing happens."""


class DoNothingHandler(CommandHandler[DoNothing]):
    runs = 0

    def handle(self, command: DoNothing, uow: UnitOfWork) -> None:
        DoNothingHandler.runs += 1


class AddFirst(Command):
    """Adds one, if none was added before."""

    counter_id: str


class AddFirstHandler(CommandHandler[AddFirst]):
    def handle(self, command: AddFirst, uow: UnitOfWork) -> None:
        found = uow.get(counter.Counter, command.counter_id)
        if found.total:
            raise DomainError("it is not the first")
        found.record(counter.Added(counter_id=found.id))


COMMANDS = (
    *counter.COMMANDS,
    (OpenAny, OpenAnyHandler),
    (DoNothing, DoNothingHandler),
    (AddFirst, AddFirstHandler),
)


def make_bus(store: MemoryEventStore | None = None, clock: FakeClock | None = None) -> MessageBus:
    return counter.make_bus(
        store or MemoryEventStore(),
        commands=COMMANDS,
        dependencies={Clock: clock or FakeClock()},
    )


def test_sent_again_it_has_one_effect_and_one_answer_whatever_ids_its_handler_makes() -> None:
    bus = make_bus()
    first, again = (bus.handle(OpenAny(), idempotency=KEY) for _ in "ab")
    assert (first.replayed, again.replayed) == (False, True)
    assert first.events == again.events
    assert len(bus.store.feed().commits) == 1


def test_the_answer_is_that_of_then_also_after_more_has_happened() -> None:
    bus = make_bus()
    first = bus.handle(counter.Open(counter_id="c"), idempotency=KEY)
    for _ in range(3):
        bus.handle(counter.Add(counter_id="c"))
    assert bus.handle(counter.Open(counter_id="c"), idempotency=KEY).events == first.events


def test_a_command_that_records_nothing_is_run_once_too() -> None:
    bus, DoNothingHandler.runs = make_bus(), 0
    outcomes = [bus.handle(DoNothing(), idempotency=KEY) for _ in "ab"]
    assert [outcome.replayed for outcome in outcomes] == [False, True]
    assert DoNothingHandler.runs == 1


def test_a_key_used_for_another_request_is_refused() -> None:
    bus = make_bus()
    bus.handle(OpenAny(), idempotency=KEY)
    with pytest.raises(IdempotencyKeyReused):
        bus.handle(OpenAny(), idempotency=Idempotency(KEY.scope, KEY.key, "another"))
    bus.handle(OpenAny(), idempotency=Idempotency("of another caller", KEY.key, "another"))


def test_a_failure_releases_the_key() -> None:
    bus = make_bus()
    with pytest.raises(Exception, match="does not exist"):
        bus.handle(counter.Add(counter_id="c"), idempotency=KEY)
    bus.handle(counter.Open(counter_id="c"))
    assert not bus.handle(counter.Add(counter_id="c"), idempotency=KEY).replayed


def test_sent_many_times_at_once_it_has_one_effect_and_one_answer() -> None:
    bus = make_bus()
    outcomes = all_at_once(lambda _: bus.handle(OpenAny(), idempotency=KEY))
    assert len({outcome.events for outcome in outcomes}) == 1
    assert [outcome.replayed for outcome in outcomes].count(False) == 1
    assert len(bus.store.feed().commits) == 1


@pytest.mark.parametrize("command", [counter.Open(counter_id="d"), AddFirst(counter_id="c")])
def test_a_refusal_that_the_first_of_two_has_caused_is_answered_as_the_first(
    command: Command,
) -> None:
    """Both looked the key up before either had committed."""
    store = MemoryEventStore()
    bus = make_bus(store)
    bus.handle(counter.Open(counter_id="c"))
    first = bus.handle(command, idempotency=KEY)
    handled, store.handled = store.handled, lambda *_: None  # type: ignore[method-assign]

    def seen_later(*_: object) -> None:
        store.handled = handled  # type: ignore[method-assign]

    store.handled = seen_later  # type: ignore[method-assign,assignment]
    again = bus.handle(command, idempotency=KEY)
    assert (again.events, again.replayed) == (first.events, True)


class AnswerLost(MemoryEventStore):
    """Takes the first commit, and does not say so."""

    lost = False

    def append(self, commit: Commit) -> None:
        super().append(commit)
        if not self.lost:
            self.lost = True
            raise StoreUnavailable("the answer was lost")


def test_a_commit_whose_answer_was_lost_is_found_and_not_repeated() -> None:
    bus = make_bus(AnswerLost())
    outcome = bus.handle(OpenAny(), idempotency=KEY)
    assert len(outcome.events) == len(bus.store.feed().commits) == 1
    assert bus.handle(OpenAny(), idempotency=KEY).events == outcome.events


def test_a_key_is_forgotten_after_its_time() -> None:
    clock = FakeClock()
    bus = make_bus(clock=clock)
    for days, replayed in ((0, False), (6, True), (2, False), (0, True)):
        clock.move(days=days)
        assert bus.handle(OpenAny(), idempotency=KEY).replayed == replayed


def test_how_long_a_key_is_kept_changes_neither_its_command_id_nor_what_is_stored() -> None:
    kept = [timedelta(days=7), timedelta(days=15), timedelta(hours=1)]
    stores = [MemoryEventStore() for _ in kept]
    for store, each in zip(stores, kept, strict=True):
        make_bus(store).handle(
            counter.Open(counter_id="c"), idempotency=msgspec.structs.replace(KEY, kept=each)
        )
    records = [list(store.dump())[-1] for store in stores]
    assert all(isinstance(each, IdempotencyRecord) for each in records)
    stored = [msgspec.to_builtins(each) for each in records]
    expiries = [datetime.fromisoformat(each.pop("expires_at")) for each in stored]
    assert stored[0] == stored[1] == stored[2]
    assert stored[0]["idempotency"] == {
        "scope": KEY.scope,
        "key": KEY.key,
        "fingerprint": KEY.fingerprint,
    }
    assert [each - FakeClock().now() for each in expiries] == kept


def test_what_it_does_outside_is_known_by_one_id_over_all_attempts() -> None:
    ids: list[str] = []

    def note(envelope: Envelope, handle: Next) -> Any:
        ids.append(envelope.message_id)
        return handle(envelope)

    bus = counter.make_bus(MemoryEventStore(), middleware=[note])
    with pytest.raises(Exception, match="does not exist"):
        bus.handle(counter.Add(counter_id="c"), idempotency=KEY)
    bus.handle(counter.Open(counter_id="c"))
    bus.handle(counter.Add(counter_id="c"), idempotency=KEY)
    assert ids[0] == ids[2]
