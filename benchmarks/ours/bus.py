"""One command that records one event, in memory: ids, times, codec and pending commands are on."""

from __future__ import annotations

from bench_service.adapters.event_store.memory import MemoryEventStore
from bench_service.bus import Retry

from benchmarks.contender import serve, timed, together

from . import counting


def turn(n: int) -> float:
    bus = counting.make_bus(MemoryEventStore())
    return timed(lambda number: bus.handle(counting.Open(counter_id=str(number))), n)


def threads(n: int, count: int) -> dict[str, float]:
    """So many threads share a bus; each opens counters of its own. Returns the seconds, and how many
    commands left no event."""
    store = MemoryEventStore()
    bus = counting.make_bus(store)
    share = n // count

    def work(name: int) -> None:
        for number in range(share):
            bus.handle(counting.Open(counter_id=f"{name}.{number}"))

    seconds = together(work, count)
    return {"seconds": seconds, "lost": share * count - store.size(), "commands": share * count}


def contended(count: int, each: int) -> dict[str, float]:
    """So many threads add to one counter, each so many times. Returns how many additions are missing."""
    bus = counting.make_bus(MemoryEventStore(), retry=Retry(attempts=100))
    bus.handle(counting.Open(counter_id="shared"))

    def work(_name: int) -> None:
        for _ in range(each):
            bus.handle(counting.Add(counter_id="shared", amount=1))

    seconds = together(work, count)
    total = bus.ask(counting.GetTotal(counter_id="shared"))
    return {"seconds": seconds, "lost": count * each - total, "commands": count * each}


if __name__ == "__main__":
    serve("msgspec", "punq", turn=turn, threads=threads, contended=contended)
