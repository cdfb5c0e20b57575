"""Workers on one Postgres, larger than a laptop: a simulation with measured times.

    python -m benchmarks.simulation

A closed queueing network, simulated event by event. Each thread of a worker does the same again and again: it
computes in its process, where one thread runs at a time (the GIL), and it waits for the database, which has a number
of cores and a disk that makes one group of commits durable after another. What it leaves out: the network, locks on
the same stream, vacuums, and the cost of switching between more threads than cores.
"""

from __future__ import annotations

import heapq
import random
from collections import deque
from collections.abc import Callable
from functools import partial

WORKER_MS, DATABASE_MS, TRIPS, SYNC_MS = 1.2, 1.1, 4, 0.8
"""For each command, measured on two cores: the CPU of a worker, that of Postgres, both for all round trips; how many
of these there are; and how long the disk takes to make a group of commits durable."""


class Station:
    """Serves first in, first out; at most `servers` at the same time."""

    def __init__(self, network: Network, servers: int) -> None:
        self._network, self._free = network, servers
        self._waiting: deque[tuple[float, Callable[[], None]]] = deque()

    def serve(self, milliseconds: float, then: Callable[[], None]) -> None:
        self._waiting.append((random.expovariate(1 / milliseconds), then))
        self._next()

    def _next(self) -> None:
        while self._free and self._waiting:
            self._free -= 1
            lasts, then = self._waiting.popleft()
            self._network.after(lasts, partial(self._served, then))

    def _served(self, then: Callable[[], None]) -> None:
        self._free += 1
        self._next()
        then()


class Disk:
    """Makes all commits durable that wait, then the next group."""

    def __init__(self, network: Network) -> None:
        self._network, self._is_busy = network, False
        self._waiting: list[Callable[[], None]] = []

    def sync(self, then: Callable[[], None]) -> None:
        self._waiting.append(then)
        if not self._is_busy:
            self._begin()

    def _begin(self) -> None:
        group, self._waiting, self._is_busy = self._waiting, [], True
        self._network.after(SYNC_MS, lambda: self._synced(group))

    def _synced(self, group: list[Callable[[], None]]) -> None:
        self._is_busy = False
        if self._waiting:
            self._begin()
        for then in group:
            then()


class Network:
    """What happens when."""

    def __init__(self) -> None:
        self.now, self._number = 0.0, 0
        self._planned: list[tuple[float, int, Callable[[], None]]] = []

    def after(self, milliseconds: float, then: Callable[[], None]) -> None:
        self._number += 1
        heapq.heappush(self._planned, (self.now + milliseconds, self._number, then))

    def run(self, milliseconds: float) -> None:
        while self.now < milliseconds:
            self.now, _, then = heapq.heappop(self._planned)
            then()


def commands_a_second(workers: int, threads: int, cores: int, milliseconds: float = 4000) -> float:
    network, done = Network(), 0
    database, disk = Station(network, cores), Disk(network)

    def command(process: Station, trip: int = 0) -> None:
        """Each round trip computes, asks, and goes on; the first (the claim) and the last (the commit) are durable."""
        nonlocal done
        if trip == TRIPS:
            done += 1
            trip = 0
        is_durable = trip in {0, TRIPS - 1}

        def answered() -> None:
            command(process, trip + 1)

        def asked() -> None:
            database.serve(
                DATABASE_MS / TRIPS, (lambda: disk.sync(answered)) if is_durable else answered
            )

        process.serve(WORKER_MS / TRIPS, asked)

    for _ in range(workers):
        process = Station(network, 1)
        for _ in range(threads):
            command(process)
    network.run(milliseconds)
    return done / milliseconds * 1000


def main() -> None:
    random.seed(1)
    print("commands a second, with 8 threads in each worker")
    header = [1, 2, 4, 8, 16, 32]
    print(f"{'workers':>24}", *[f"{each:>7}" for each in header])
    for cores in (2, 8, 32):
        rates = [commands_a_second(workers, 8, cores) for workers in header]
        print(f"{f'Postgres with {cores} cores':>24}", *[f"{rate:>7,.0f}" for rate in rates])


if __name__ == "__main__":
    main()
