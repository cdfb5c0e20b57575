"""A follow-up that is refused for good, crashed at every call of the store: it is parked, once.

A program: it takes the store from the environment.
"""

from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from {{ cookiecutter.__package }}.bootstrap import open_store
from {{ cookiecutter.__package }}.bus import Clock, MessageBus, Worker
from {{ cookiecutter.__package }}.config import Settings, load_settings
from {{ cookiecutter.__package }}.observability import log

from ...support.fakes import FakeClock
from ..support import counter
from ..support.crash import Mortal, crash_at_every_call

ROUNDS = 50


def bus_of(
    settings: Settings,
    mortal: Mortal[Any] = lambda port: port,
    later: timedelta = timedelta(0),
) -> MessageBus:
    clock = FakeClock(datetime.now(UTC) + later)
    return counter.make_bus(mortal(open_store(settings)), dependencies={Clock: clock})


def act(settings: Settings, number: int, mortal: Mortal[Any]) -> None:
    bus = bus_of(settings, mortal)
    bus.handle(counter.Open(counter_id=f"c{number}"))
    bus.handle(counter.Add(counter_id=f"c{number}", carry_to="missing"))
    Worker(bus).run_once()


def check(settings: Settings, number: int) -> None:
    """After a restart: if it follows from anything, it is one dead letter, and nothing is open."""
    bus = bus_of(settings, later=timedelta(hours=1))
    worker = Worker(bus)
    for _ in range(ROUNDS):
        if not worker.run_once():
            break
    added = bus.store.load(f"Counter/c{number}").position.version == 2
    parked = bus.store.parked()
    assert len(parked) == added, f"parked: {parked}"
    assert bus.store.due(bus.clock.now()) == []
    assert bus.store.pending(f"Counter/c{number}") == []
    for dead in parked:
        assert "AggregateNotFound" in dead.error
        assert bus.store.drop(dead.key)
    bus.store.close()


if __name__ == "__main__":
    found = load_settings()
    log.configure(found)
    print(f"parking: {crash_at_every_call(partial(act, found), partial(check, found))} points")
