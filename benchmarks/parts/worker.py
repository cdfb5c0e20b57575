"""The worker on Postgres: how fast, how soon, with how many; and a workflow of three next to others'."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

from benchmarks import servers
from benchmarks.ground import Contender, Ground
from benchmarks.measure import CouldNotRun, Measured, Spread, Turn
from benchmarks.report import Part
from benchmarks.svg import bars, number_text

MOST_ROUNDS = 5
"""A round takes long here: seven would take more than four minutes."""
ORDERS, WAITS, WAITS_ALONE, LONG = 500, 640, 64, 1_700
PAUSE = 0.02
LATE, SPACED = 5, 20
IDLE_SECONDS, IDLE_TIMES = 11.0, 3
ALONE, TOGETHER, LEFT = 60, 200, 200
THREADS = 8
DIVIDED = "4 × 8, divided beforehand"

ABOUT = f"""All on one Postgres, on the same machine as what asks it: two cores, the database included. A backlog is
{ORDERS} orders whose follow-ups were left to workers (DISPATCH=worker), two commands each; it is timed from the
first worker's start to the end of the last command, in any of the processes. A command that waits sleeps for 20 ms, as
an outside system would make it. What follows a commit is timed from the call that commits, so that the commit is in it.
DBOS runs a workflow of three steps that a caller waits for, by its decorators; ours is the order's, create, process,
archive, inline. Each of Procrastinate's three jobs defers the next: {LEFT} first jobs are deferred by eight tasks at
once, and then its worker runs, with a concurrency of 8; ours creates as many orders in eight threads, and then a worker
of eight threads runs the rest. Both are timed from the first order to the end of the last. DBOS and Procrastinate keep
arguments and results, and no events. What is archived goes to a dictionary everywhere. There are {MOST_ROUNDS} rounds at most."""

WHY_CORES = """One worker of eight threads and the database take both cores already, so more processes add no power,
only switches between more threads. Four whose streams are divided beforehand, so that no two ever want the same, have {} of
its rate. Where handlers wait, more processes help: see the rows of 20 ms."""
WHY_WAITS = """The waits alone would allow four times the rate. What the commands do besides waiting takes both cores before
that, the database included: compare the backlog of orders, which do not wait, and are two commands each."""
WHY_COMMITS = """The three steps are three commits of ours, and each waits for the disk."""


def measure(ground: Ground) -> Part:
    part = Part("worker", "The worker: a backlog, and how soon it begins", ABOUT)
    with servers.postgres(ground.folder) as server:
        for of in (backlog, waiting, latency, dbos, procrastinate):
            try:
                of(part, ground, server)
            except CouldNotRun as error:
                part.missing[of.__name__] = str(error)
    return part


def backlog(part: Part, ground: Ground, server: str) -> None:
    """One, two and four processes, of one thread and of eight."""
    names = {
        (count, threads): f"{count} × {threads}" for threads in (1, THREADS) for count in (1, 2, 4)
    }
    with _workers(ground, server, "orders", 4) as (filler, workers):
        turns: dict[str, Turn] = {
            name: partial(_drain, filler, workers[:count], threads, 0.0)
            for (count, threads), name in names.items()
        }
        turns[DIVIDED] = partial(_drain, filler, workers, THREADS, 0.0, divided=True)
        measured = _in_turns(ground, turns, dict.fromkeys(turns, ORDERS))
    divided = measured.speed(DIVIDED, names[1, THREADS]).median
    for name in measured.seconds:
        part.row(f"a backlog, processes × threads: {name}", measured.rate(name), "orders/s")
    part.pictures["Orders a second from a backlog, processes × threads"] = bars(
        {name: measured.rate(name).median for name in measured.seconds}
    )
    for threads, said in ((1, "one thread"), (THREADS, "eight threads")):
        for count in (2, 4):
            part.limit(
                f"rate of {count} processes against one, {said} each",
                partial(measured.speed, names[count, threads], names[1, threads]),
                0.95,
                at_least=True,
                why=WHY_CORES.format(number_text(divided)) if threads > 1 else "",
            )


def waiting(part: Part, ground: Ground, server: str) -> None:
    """Commands of 20 ms: in more threads, in more processes, and one that comes late."""
    one, eight, many = "1 × 1", f"1 × {THREADS}", f"4 × {THREADS}"
    late: list[float] = []
    with _workers(ground, server, "waiting", 4) as (filler, workers):
        turns: dict[str, Turn] = {
            one: partial(_drain, filler, workers[:1], 1, PAUSE),
            eight: partial(_drain, filler, workers[:1], THREADS, PAUSE),
            many: partial(_drain, filler, workers, THREADS, PAUSE),
        }
        counts = {one: WAITS_ALONE, eight: WAITS, many: WAITS}
        measured = _in_turns(ground, turns, counts)
        for _ in range(_rounds(ground)):
            late.append(max(_late(filler, workers[0])))
    for name, count in counts.items():
        note = f"{count} streams"
        part.row(
            f"commands of 20 ms, processes × threads: {name}",
            measured.rate(name),
            "commands/s",
            note,
        )
    part.limit(
        "commands of 20 ms, eight threads against one",
        partial(measured.speed, eight, one),
        6,
        at_least=True,
    )
    part.limit(
        "commands of 20 ms, four processes of eight threads against one",
        partial(measured.speed, many, eight),
        2,
        at_least=True,
        why=WHY_WAITS,
    )
    part.limit(
        f"start of a command that comes late, 1,000 other streams due (longest of {LATE})",
        lambda: Spread.of(late),
        0.5,
        unit="s",
    )


def _late(filler: Contender, worker: Contender) -> list[float]:
    """How long commands waited that came when the worker had long had others to run. The last comes
    while 1,000 are still due."""
    filler.ask("fill", count=LONG)
    worker.ask("begin", threads=THREADS, pause=PAUSE)
    waited = _waited(worker, worker, LATE, 0.3, 0.3)
    worker.ask("end")
    return waited


def latency(part: Part, ground: Ground, server: str) -> None:
    """From a commit to the start of what follows, in this process and in another."""
    same: list[float] = []
    other: list[float] = []
    idle: list[float] = []
    with _workers(ground, server, "waiting", 1) as (committer, (worker,)):
        for number in range(_rounds(ground)):
            each = ((worker, same), (committer, other))
            for commits, waited in each if number % 2 == 0 else reversed(each):
                committer.ask("fill", count=0)
                worker.ask("begin", threads=THREADS)
                _waited(commits, worker, 1, 0, 0)  # to warm up
                times = _waited(commits, worker, SPACED, 0.05, 0.2)
                waited.append(Spread.of(times).median * 1e3)
                worker.ask("end")
        worker.ask("begin", threads=THREADS)
        for _ in range(1 if ground.quick else IDLE_TIMES):
            low = 1.0 if ground.quick else IDLE_SECONDS
            idle += [each * 1e3 for each in _waited(committer, worker, 1, low, low + 1)]
        worker.ask("end")
    part.row(
        f"commit to start, another process that was idle for {IDLE_SECONDS:.0f} s",
        Spread.of(idle),
        "ms",
        "it looks every second then",
    )
    for claim, values, bound in (
        ("commit to start of what follows, the same process, p50", same, 20),
        ("commit to start of what follows, another process, p50", other, 150),
    ):
        part.limit(claim, partial(Spread.of, values), bound, unit="ms")


def dbos(part: Part, ground: Ground, server: str) -> None:
    """A workflow of three that the caller waits for."""
    cases = {
        "one caller": (ALONE, "turn", {}),
        f"{THREADS} callers": (TOGETHER, "callers", {"count": THREADS}),
    }
    with (
        servers.database(server) as url,
        servers.database(server) as other,
        ground.contenders() as start,
    ):
        ours = _ours(start, "orders", url, "inline")
        said = ours.ask("create")
        ground.versions["Postgres"] = said.pop("server_version")
        theirs = start("peers.dbos", peer="dbos", DATABASE_URL=other)
        theirs.ask("launch")
        turns: dict[str, Turn] = {}
        counts = {}
        for case, (count, work, given) in cases.items():
            for name, contender in (("ours", ours), ("DBOS", theirs)):
                turns[f"{name}, {case}"] = contender.turn(work, **given)
                counts[f"{name}, {case}"] = count
        measured = _in_turns(ground, turns, counts)
        theirs.ask("close")
    settings = ", ".join(f"{name} {value}" for name, value in said.items())
    for name in measured.seconds:
        part.row(f"workflow of three: {name}", measured.rate(name), "workflows/s", settings)
    for case in cases:
        part.limit(
            f"rate of a workflow of three against DBOS, {case}",
            partial(measured.speed, f"ours, {case}", f"DBOS, {case}"),
            3.5,
            at_least=True,
            why=WHY_COMMITS,
        )


def procrastinate(part: Part, ground: Ground, server: str) -> None:
    """A workflow of three that is left to a worker."""
    with (
        servers.database(server) as url,
        servers.database(server) as other,
        ground.contenders() as start,
    ):
        ours = _ours(start, "orders", url, "worker")
        ours.ask("create")
        theirs = start("peers.procrastinate", peer="procrastinate", DATABASE_URL=other)
        theirs.ask("launch")
        turns: dict[str, Turn] = {
            "ours": ours.turn("drain", count=THREADS),
            "Procrastinate": theirs.turn("turn", count=THREADS),
        }
        measured = _in_turns(ground, turns, dict.fromkeys(turns, LEFT))
        theirs.ask("close")
    for name in measured.seconds:
        part.row(f"three left to a worker: {name}", measured.rate(name), "workflows/s")
    part.limit(
        "rate of three left to a worker against Procrastinate",
        partial(measured.speed, "ours", "Procrastinate"),
        1,
        at_least=True,
        why=WHY_COMMITS,
    )


def _rounds(ground: Ground) -> int:
    return min(ground.rounds, MOST_ROUNDS)


@contextmanager
def _workers(
    ground: Ground, server: str, kind: str, count: int
) -> Iterator[tuple[Contender, list[Contender]]]:
    """A process that commits and never works, and so many that work, at a database of their own."""
    with servers.database(server) as url, ground.contenders() as start:
        filler = _ours(start, kind, url, "worker")
        filler.ask("create")
        yield filler, [_ours(start, kind, url, "worker", str(number)) for number in range(count)]


def _ours(
    start: Callable[..., Contender], kind: str, url: str, dispatch: str, *more: str
) -> Contender:
    return start(
        "ours.worker",
        kind,
        *more,
        store="postgres",
        STORE="postgres",
        DATABASE_URL=url,
        DISPATCH=dispatch,
        LOG_LEVEL="error",
    )


def _drain(
    filler: Contender,
    workers: list[Contender],
    threads: int,
    pause: float,
    n: int,
    *,
    divided: bool = False,
) -> float:
    """The seconds that these processes take for a backlog of so many streams; if these are divided,
    each process sees a part of its own."""
    of = len(workers) if divided else 1
    filler.ask("fill", count=n)
    started = time.perf_counter()
    for number, worker in enumerate(workers):
        worker.ask("begin", threads=threads, pause=pause, share=number % of, of=of)
    filler.ask("drained")
    return max(float(worker.ask("end")) for worker in workers) - started


def _waited(commits: Contender, worker: Contender, n: int, low: float, high: float) -> list[float]:
    """The seconds from commits of the one process to what follows in the other, whose clock is the
    same."""
    asked = commits.ask("commits", n=n, low=low, high=high)
    begun = worker.ask("begun", names=list(asked))
    return [began - since for began, since in zip(begun, asked.values(), strict=True)]


def _in_turns(ground: Ground, turns: dict[str, Turn], counts: dict[str, int]) -> Measured:
    """The turns, interleaved, so many times each: the counts are given, so that backlogs are as long
    for all. One round more is to warm up."""
    shorter = 16 if ground.quick else 1
    seconds: dict[str, list[float]] = {name: [] for name in turns}
    for number in range(-1, _rounds(ground)):
        for name in turns if number % 2 == 0 else reversed(turns):
            count = max(8, counts[name] // (shorter if number >= 0 else 16))
            took = turns[name](count) / count
            if number >= 0:
                seconds[name].append(took)
    return Measured(seconds, {})
