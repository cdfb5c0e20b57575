"""protean: an event-sourced aggregate in its memory store, a command processed at once, as its guides
show; without the line that it logs for each."""

import logging
from typing import Any

from protean import Domain, apply, current_domain, handle
from protean.fields import Identifier, Integer

from benchmarks.contender import serve, timed

domain = Domain()


@domain.event(part_of="Counter")
class Opened:
    counter_id: Identifier(required=True)


@domain.command(part_of="Counter")
class Open:
    counter_id: Identifier(identifier=True)


@domain.aggregate(event_sourced=True)
class Counter:
    counter_id: Identifier(identifier=True)
    total: Integer(default=0)

    @classmethod
    def open(cls, counter_id: str) -> Any:
        counter: Any = cls._create_new(counter_id=counter_id)
        counter.raise_(Opened(counter_id=counter_id))
        return counter

    @apply
    def opened(self, event: Opened) -> None:
        self.counter_id = event.counter_id
        self.total = 0


@domain.command_handler(part_of=Counter)
class CounterHandler:
    @handle(Open)
    def open(self, command: Open) -> None:
        current_domain.repository_for(Counter).add(Counter.open(command.counter_id))


domain.init(traverse=False)
logging.getLogger("protean.access").setLevel(logging.WARNING)


def turn(n: int) -> float:
    with domain.domain_context():
        domain.event_store.store._data_reset()  # what it keeps slows it down
        return timed(
            lambda number: domain.process(Open(counter_id=str(number)), asynchronous=False), n
        )


if __name__ == "__main__":
    serve("protean", turn=turn)
