"""Commands that are due later: committed with the events, run once when their time has come."""

from collections.abc import Iterable
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from {{ cookiecutter.__package }}.adapters.event_store.memory import MemoryEventStore
from {{ cookiecutter.__package }}.bus import (
    Clock,
    Command,
    CommandHandler,
    Dispatch,
    EventHandler,
    MessageBus,
    UnitOfWork,
    Worker,
)

from ...support.fakes import FakeClock
from ..support import counter

HOUR = timedelta(hours=1)


class AddLater(Command):
    """Has one added after an hour; and, if it is to, one now, which leads to another."""

    counter_id: str
    now: bool = False


class AddLaterHandler(CommandHandler[AddLater]):
    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def handle(self, command: AddLater, uow: UnitOfWork) -> None:
        found = uow.get(counter.Counter, command.counter_id)
        if command.now:
            found.record(counter.Added(counter_id=found.id, carry_to=found.id))
        uow.schedule(counter.Add(counter_id=found.id), self._clock.now() + HOUR)


class ScheduleBadly(Command):
    at: datetime


class ScheduleBadlyHandler(CommandHandler[ScheduleBadly]):
    def handle(self, command: ScheduleBadly, uow: UnitOfWork) -> None:
        uow.schedule(counter.Add(counter_id="c"), command.at)


class Service:
    def __init__(self) -> None:
        self.clock, self.store = FakeClock(), MemoryEventStore()
        self.bus = self.start()
        self.bus.handle(counter.Open(counter_id="c"))

    def start(self, *, inline: bool = True) -> MessageBus:
        commands = (
            *counter.COMMANDS,
            (AddLater, AddLaterHandler),
            (ScheduleBadly, ScheduleBadlyHandler),
        )
        return counter.make_bus(
            self.store,
            commands=commands,
            dependencies={Clock: self.clock},
            dispatch=Dispatch(inline=inline),
        )

    @property
    def total(self) -> int:
        return self.bus.ask(counter.GetTotal(counter_id="c"))


@pytest.fixture
def service() -> Service:
    return Service()


@pytest.mark.parametrize("now", [False, True])
@pytest.mark.parametrize("inline", [False, True])
def test_it_runs_once_when_it_is_due_and_not_before(
    service: Service, now: bool, inline: bool
) -> None:
    service.start(inline=inline).handle(AddLater(counter_id="c", now=now))
    worker = Worker(service.start(inline=inline))
    for step, expected in ((HOUR - timedelta(seconds=1), 0), (timedelta(seconds=1), 1), (HOUR, 1)):
        service.clock.move(seconds=step.total_seconds())
        worker.run_once()
        assert service.total == expected + 2 * now
    assert service.store.due(service.clock.now() + HOUR) == []


def test_it_runs_also_if_every_process_was_down_when_it_became_due(service: Service) -> None:
    service.bus.handle(AddLater(counter_id="c"))
    service.clock.move(days=30)
    assert Worker(service.start()).run_once() == 1
    assert service.total == 1


def test_any_number_may_be_waiting_and_none_holds_up_another(service: Service) -> None:
    for _ in range(3):
        service.bus.handle(AddLater(counter_id="c"))
        service.bus.handle(AddLater(counter_id="c", now=True))
    service.bus.handle(counter.Add(counter_id="c", carry_to="c"))
    assert service.total == 6 + 2
    service.clock.move(hours=1)
    assert Worker(service.bus).run_once() == 6
    assert service.total == 8 + 6


class WhenAddedTwice(EventHandler[counter.Added]):
    """Two more follow from each, as often as `carry_to` is long."""

    def handle(self, event: counter.Added) -> Iterable[Command]:
        for _ in range(2 if event.carry_to else 0):
            yield counter.Add(counter_id=event.counter_id, carry_to=event.carry_to[1:])


def test_what_follows_from_what_follows_does_not_wait_for_it(service: Service) -> None:
    service.bus.handle(AddLater(counter_id="c", now=True))
    events: Any = ((counter.Opened, []), (counter.Added, [WhenAddedTwice]))
    bus = counter.make_bus(service.store, events=events, dependencies={Clock: service.clock})
    bus.handle(counter.Add(counter_id="c", carry_to="##"))
    assert service.total == 2 + 1 + 2 + 4


def test_it_is_committed_with_the_events_or_not_at_all(service: Service) -> None:
    with pytest.raises(Exception, match="does not exist"):
        service.bus.handle(AddLater(counter_id="unknown", now=True))
    assert service.store.due(service.clock.now() + 2 * HOUR) == []


@pytest.mark.parametrize(
    ("at", "reason"),
    [
        (datetime(2026, 1, 1), "no time zone"),  # noqa: DTZ001 - the point
        (datetime(1, 1, 1, tzinfo=timezone(14 * HOUR)), "not within the years 2 to 9998: 0001-01"),
        (datetime.max.replace(tzinfo=timezone(-12 * HOUR)), "not within the years 2 to 9998"),
    ],
)
def test_a_time_that_no_store_can_keep_is_refused(
    service: Service, at: datetime, reason: str
) -> None:
    with pytest.raises(ValueError, match=f"^Add: the time it is due .*{reason}"):
        service.bus.handle(ScheduleBadly(at=at))
