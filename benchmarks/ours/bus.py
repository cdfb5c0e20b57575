"""One command that records one event, in memory: ids, times, codec and pending commands are on."""

from __future__ import annotations

import time
from threading import Barrier, Thread

from bench_service.adapters.event_store.memory import MemoryEventStore
from bench_service.bus import Retry

from benchmarks.contender import serve, timed

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
    begin = Barrier(count + 1)

    def work(name: int) -> None:
        begin.wait()
        for number in range(share):
            bus.handle(counting.Open(counter_id=f"{name}.{number}"))

    seconds = _together(work, count, begin)
    return {"seconds": seconds, "lost": share * count - store.size(), "commands": share * count}


def contended(count: int, each: int) -> dict[str, float]:
    """So many threads add to one counter, each so many times. Returns how many additions are missing."""
    bus = counting.make_bus(MemoryEventStore(), retry=Retry(attempts=100))
    bus.handle(counting.Open(counter_id="shared"))
    begin = Barrier(count + 1)

    def work(_name: int) -> None:
        begin.wait()
        for _ in range(each):
            bus.handle(counting.Add(counter_id="shared", amount=1))

    seconds = _together(work, count, begin)
    total = bus.ask(counting.GetTotal(counter_id="shared"))
    return {"seconds": seconds, "lost": count * each - total, "commands": count * each}


def _together(work: object, count: int, begin: Barrier) -> float:
    running = [Thread(target=work, args=(name,)) for name in range(count)]
    for thread in running:
        thread.start()
    begin.wait()
    started = time.perf_counter()
    for thread in running:
        thread.join()
    return time.perf_counter() - started


if __name__ == "__main__":
    serve("msgspec", "punq", turn=turn, threads=threads, contended=contended)
