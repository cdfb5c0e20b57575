"""The part of the contract suite about the bus on a store: new aggregates, follow-ups out of order,
and commands that only schedule."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from {{ cookiecutter.__package }}.bus import (
    Clock,
    Command,
    CommandHandler,
    Envelope,
    EventHandler,
    EventStore,
    FollowUp,
    MessageBus,
    Next,
    Position,
    Retry,
    UnitOfWork,
    Worker,
)

from ...support.fakes import FakeClock
from ...support.race import THREADS, all_at_once
from ..support import counter
from ..support.commits import NOW, append, commit, follow_up
from ..support.faults import Fault, faulty


class Count(Command):
    """Adds one to a counter. The first one opens it."""

    counter_id: str
    carry_to: str = ""


class CountHandler(CommandHandler[Count]):
    def handle(self, command: Count, uow: UnitOfWork) -> None:
        found = uow.get_or_new(counter.Counter, command.counter_id)
        if found.version == 0:
            found.record(counter.Opened(counter_id=found.id))
        found.record(counter.Added(counter_id=found.id, carry_to=command.carry_to))


class AddInAnHour(Command):
    counter_id: str


class AddInAnHourHandler(CommandHandler[AddInAnHour]):
    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def handle(self, command: AddInAnHour, uow: UnitOfWork) -> None:
        due_at = self._clock.now() + timedelta(hours=1)
        uow.schedule(counter.Add(counter_id=command.counter_id), due_at)


class WhenAddedCarry(EventHandler[counter.Added]):
    """Carries to a counter that is down out of order, to any other in order."""

    def handle(self, event: counter.Added) -> Iterable[Count | FollowUp[Count]]:
        if event.carry_to == "down":
            yield FollowUp(Count(counter_id="down"), in_order=False)
        elif event.carry_to:
            yield Count(counter_id=event.carry_to)


def down(envelope: Envelope, handle: Next) -> Any:
    """Middleware: what is to be counted on `down` fails."""
    if isinstance(envelope.message, Count) and envelope.message.counter_id == "down":
        raise RuntimeError("down")
    return handle(envelope)


def bus_on(store: EventStore, clock: Clock, **options: Any) -> MessageBus:
    return counter.make_bus(
        store,
        commands=(
            *counter.COMMANDS,
            (Count, CountHandler),
            (AddInAnHour, AddInAnHourHandler),
        ),
        events=((counter.Opened, []), (counter.Added, [WhenAddedCarry])),
        dependencies={Clock: clock},
        **options,
    )


def total(bus: MessageBus, name: str) -> int:
    return bus.ask(counter.GetTotal(counter_id=name))


class FollowUpContract:
    """The tests. The class that inherits them gives the store."""

    def test_of_those_who_begin_one_aggregate_at_once_each_has_its_effect(
        self, store: EventStore
    ) -> None:
        bus = bus_on(store, FakeClock(), retry=Retry(attempts=100))
        outcomes = all_at_once(lambda _: bus.handle(Count(counter_id="c")) and None)
        assert outcomes == [None] * THREADS
        assert total(bus, "c") == THREADS

    def test_whoever_finds_that_another_has_begun_it_runs_again(self, store: EventStore) -> None:
        clock = FakeClock()
        rivals = iter([Count(counter_id="c")])

        def rival_first(name: str) -> Fault:
            for rival in rivals if name == "append" else ():
                bus_on(store, clock).handle(rival)
            return Fault.NONE

        bus_on(faulty(store, rival_first), clock).handle(Count(counter_id="c"))
        assert total(bus_on(store, clock), "c") == 2

    def test_a_command_that_found_nothing_is_refused_if_something_has_begun_since(
        self, store: EventStore
    ) -> None:
        """It recorded nothing there, but it decided on what it found."""
        looked = Position.start("s/1")
        store.append(commit(append(Position.start("s/2")), unchanged=(looked,)))
        store.append(commit(append(looked)))
        late = commit(append(Position.start("s/3")), unchanged=(looked,))
        outcomes = all_at_once(lambda _: store.append(late), 1)
        assert [type(each).__name__ for each in outcomes] == ["ConcurrencyError"]

    def test_what_is_out_of_order_holds_nothing_back_while_it_fails(
        self, store: EventStore
    ) -> None:
        clock = FakeClock()
        bus = bus_on(store, clock, middleware=[down])
        bus.handle(Count(counter_id="c", carry_to="down"))
        bus.handle(Count(counter_id="c", carry_to="d"))
        assert total(bus, "d") == 1
        clock.move(seconds=60)
        assert Worker(bus).run_once() == 1
        bus.handle(Count(counter_id="c", carry_to="d"))
        assert total(bus, "d") == 2
        clock.move(seconds=60)
        assert Worker(bus_on(store, clock)).run_once() == 1
        assert total(bus, "down") == 1

    def test_one_in_order_waits_for_another_behind_very_many_out_of_order(
        self, store: EventStore
    ) -> None:
        clock = FakeClock()
        bus = bus_on(store, clock)
        bus.handle(Count(counter_id="c"))
        rows = [follow_up("Counter/c", 1, number, in_order=False) for number in range(40)]
        store.restore([*rows[:30], first := follow_up("Counter/c", 1, 30), *rows[31:]])
        bus.handle(Count(counter_id="c", carry_to="d"))
        assert store.load("Counter/d").position.version == 0
        assert store.park(first, NOW, "it failed")
        clock.move(seconds=60)
        assert Worker(bus).run_once() == 1
        assert total(bus, "d") == 1

    def test_a_command_that_only_schedules_has_one_effect_though_its_answer_is_lost(
        self, store: EventStore
    ) -> None:
        clock, lost = FakeClock(), iter([Fault.AFTER])
        bus = bus_on(store, clock)
        bus.handle(Count(counter_id="c"))
        broken = faulty(store, lambda _name: next(lost, Fault.NONE))
        bus_on(broken, clock).handle(AddInAnHour(counter_id="c"))
        clock.move(hours=1)
        worker = Worker(bus)
        assert (worker.run_once(), worker.run_once()) == (1, 0)
        assert total(bus, "c") == 2

    def test_a_follow_up_may_be_committed_as_a_dead_letter(self, store: EventStore) -> None:
        dead = follow_up("s/1", 1, 0, parked_at=NOW, error="an endless loop")
        row = follow_up("s/1", 1, 1)
        store.append(commit(append(Position.start("s/1")), follow_ups=(dead, row)))
        assert (store.parked(), store.pending("s/1")) == ([dead], [row])
        assert store.waiting(NOW) == [row.key]
        assert store.replay(dead.key, NOW)
        assert sorted(store.waiting(NOW)) == [dead.key, row.key]
