"""Measuring side by side on a machine that is noisy and shared.

The contenders take turns (A B C, C B A, ...), so that whatever else the machine does meets all of them;
a ratio is taken within a round, between turns that are near in time, and the median of the rounds is
what counts. Seconds are for orientation only.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

Turn = Callable[[int], float]
"""Does its thing so many times, and returns how many seconds that took."""

LONGEST = 10_000_000


class CouldNotRun(Exception):
    """Something cannot be measured here; the message says why."""


@dataclass(frozen=True)
class Spread:
    """The median of several rounds, and the quartiles around it."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        if len(values) < 2:
            return cls(values[0], values[0], values[0])
        low, median, high = statistics.quantiles(values, n=4, method="inclusive")
        return cls(median, low, high)


@dataclass(frozen=True)
class Measured:
    """The seconds for one time, of each contender in each round; and why others could not run."""

    seconds: dict[str, list[float]]
    failed: dict[str, str]

    def time(self, name: str) -> Spread:
        """The seconds for one time."""
        return Spread.of(self._of(name))

    def rate(self, name: str) -> Spread:
        """How many times a second."""
        return Spread.of([1 / each for each in self._of(name)])

    def cost(self, name: str, than: str) -> Spread:
        """How many times as long as another this takes, round by round."""
        pairs = zip(self._of(name), self._of(than), strict=True)
        return Spread.of([mine / other for mine, other in pairs])

    def speed(self, name: str, than: str) -> Spread:
        """How many times as fast as another this is, round by round."""
        return self.cost(than, name)

    def _of(self, name: str) -> list[float]:
        if name not in self.seconds:
            raise CouldNotRun(f"{name}: {self.failed.get(name, 'it was not measured')}")
        return self.seconds[name]


def interleave(turns: Mapping[str, Turn], *, rounds: int, seconds: float) -> Measured:
    """Let the contenders take turns of about so many seconds each, in so many rounds.

    One that raises `CouldNotRun` is left out, with its reason.
    """
    counts: dict[str, int] = {}
    failed: dict[str, str] = {}
    for name, turn in turns.items():
        try:
            counts[name] = count_for(turn, seconds)
        except CouldNotRun as error:
            failed[name] = str(error)
    measured: dict[str, list[float]] = {name: [] for name in counts}
    for number in range(rounds):
        names = list(counts)
        for name in names if number % 2 == 0 else reversed(names):
            if name in failed:
                continue
            try:
                measured[name].append(turns[name](counts[name]) / counts[name])
            except CouldNotRun as error:
                failed[name] = str(error)
    return Measured({name: each for name, each in measured.items() if name not in failed}, failed)


def count_for(turn: Turn, seconds: float) -> int:
    """How many times take about so many seconds. What is done but once, at the first time, is left out."""
    turn(1)
    count = 1
    while True:
        took = turn(count)
        if took >= seconds / 4 or count >= LONGEST:
            return max(1, min(LONGEST, round(count * seconds / max(took, 1e-9))))
        factor = seconds / 2 / max(took, 1e-9)
        count = min(LONGEST, count * max(2, min(10, int(factor))))
