"""One command that records one event, in memory."""

from __future__ import annotations

from functools import partial

from benchmarks.ground import Contender, Ground
from benchmarks.measure import CouldNotRun, Measured, Spread, Turn
from benchmarks.report import Part
from benchmarks.svg import bars, curves, number_text

OURS, BARE, BY_HAND = "ours", "a dictionary call that keeps nothing", "the same work by hand"
FULL = {
    "eventsourcing": "eventsourcing",
    "lato": "lato",
    "python-cqrs": "python_cqrs",
    "protean": "protean",
    "bubus": "bubus",
}
SLIGHT = {"diator": "diator", "mediatr": "mediatr"}
BOUNDS = {"eventsourcing": 4.7}
"""Where the limit is another one than for the others of its kind."""
THREADS = (1, 2, 4, 8, 16)
COMMANDS = 8_000

ABOUT = """One command, one event, in memory, without the log: with ids, times, the codec and its check, the version check and
pending commands. A dictionary call makes an event and keeps nothing; by hand, the same work is done in one
function. lato, python-cqrs, bubus, diator and mediatr neither encode nor store what happens; eventsourcing
and protean do; what protean's memory store holds slows it down, and it begins empty in each turn."""

WHY_BARE = """The dictionary call does none of the work: no id, no time, no text, no check, no log. What a bus adds to the
same work shows next to the work by hand."""
WHY_THREADS = """In CPython one thread runs at a time, and handing the interpreter over costs. The work by hand, which takes its id from
the operating system and has a lock just so, keeps {} of its rate."""
WHY_WORK = """What is left over the work by hand is the unit of work, the commit and its limits, the positions, and the
middleware and retry around them."""


def measure(ground: Ground) -> Part:
    part = Part("bus", "The bus: one command, one event", ABOUT)
    with ground.contenders() as start:
        ours = start("ours.bus")
        dictionary = start("ours.dictionary")
        turns: dict[str, Turn] = {
            OURS: ours.turn(),
            BARE: dictionary.turn("bare"),
            BY_HAND: dictionary.turn("by_hand"),
        }
        for name, module in (FULL | SLIGHT).items():
            try:
                turns[name] = start(f"peers.{module}", peer=module).turn()
            except CouldNotRun as error:
                part.missing[name] = str(error)
        measured = ground.measure(turns)
        part.times(measured)
        order = sorted(measured.seconds, key=lambda name: measured.time(name).median)
        each = {name: measured.time(name).median * 1e6 for name in order}
        part.pictures["Microseconds for a command, on a logarithmic scale"] = bars(
            each, unit="µs", log=True
        )
        part.limit(
            "cost against a dictionary call that keeps nothing",
            partial(measured.cost, OURS, BARE),
            5,
            why=WHY_BARE,
        )
        part.limit(
            "cost against the same work by hand",
            partial(measured.cost, OURS, BY_HAND),
            2.7,
            why=WHY_WORK,
        )
        for names, bound in ((FULL, 10), (SLIGHT, 1)):
            for name in names:
                if name not in part.missing:
                    part.limit(
                        f"rate against {name}",
                        partial(measured.speed, OURS, name),
                        BOUNDS.get(name, bound),
                        at_least=True,
                        why=_by_hand(measured, name),
                    )
        _threads(part, ours, dictionary, ground.rounds)
    return part


def _by_hand(measured: Measured, name: str) -> str:
    """What stands between us and a rate: the work itself."""
    if name not in measured.seconds:
        return ""
    speed = measured.speed(BY_HAND, name).median
    return f"By hand, in one function, the same work has {number_text(speed)} times its rate."


def _threads(part: Part, ours: Contender, dictionary: Contender, rounds: int) -> None:
    """The same bus under more and more threads, and the work by hand under one and most."""
    rates: dict[int, list[float]] = {count: [] for count in THREADS}
    by_hand: dict[int, list[float]] = {1: [], THREADS[-1]: []}
    lost = 0.0
    for number in range(rounds):
        for count in THREADS if number % 2 == 0 else reversed(THREADS):
            answer = ours.ask("threads", n=COMMANDS, count=count)
            rates[count].append(answer["commands"] / answer["seconds"])
            lost += answer["lost"]
        for count, each in by_hand.items():
            answer = dictionary.ask("threads", n=COMMANDS, count=count)
            each.append(answer["commands"] / answer["seconds"])
        lost += ours.ask("contended", count=THREADS[-1], each=20)["lost"]
    for count, each in rates.items():
        part.row(f"ours, {count} threads", Spread.of(each), "commands/s")
    for count, each in by_hand.items():
        part.row(f"by hand, {count} threads", Spread.of(each), "commands/s")
    kept, kept_by_hand = _kept(rates), _kept(by_hand)
    part.limit(
        "rate with 16 threads against one",
        lambda: kept,
        0.5,
        at_least=True,
        why=WHY_THREADS.format(number_text(kept_by_hand.median)),
    )
    part.limit(
        "effects lost, 16 threads on one counter or each on its own",
        lambda: Spread.of([lost]),
        0,
        unit="",
    )
    part.pictures["Commands a second, as threads share one bus"] = curves(
        {"ours": [(count, Spread.of(each).median) for count, each in rates.items()]},
        across="threads",
        upward="commands/s",
    )


def _kept(rates: dict[int, list[float]]) -> Spread:
    """What is left of the rate of one thread when there are most."""
    pairs = zip(rates[THREADS[-1]], rates[1], strict=True)
    return Spread.of([many / one for many, one in pairs])
