"""What a command costs as its stream, the store, the read models and the subscribers grow."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial

from benchmarks import servers
from benchmarks.ground import Contender, Ground
from benchmarks.measure import CouldNotRun, Measured, Turn
from benchmarks.report import Part
from benchmarks.svg import curves

LENGTHS = (10, 100, 1_000, 10_000)
SIZES = (10_000, 100_000, 1_000_000)
WATCHERS = (1, 2, 4, 8, 16, 32)
SNAPSHOT_EVERY = 100

ABOUT = f"""A command on an aggregate that is there, loaded and appended to. As its stream grows: on SQLite, as rendered and
with SNAPSHOT_EVERY={SNAPSHOT_EVERY}. As the store grows, in streams of ten commits: each size a store of its own, so that they can take
turns, and each after a checkpoint, so that Postgres logs every page that is touched again as a whole. As projections and handlers of its event grow: in memory, where nothing else is in the way; and what each
projection takes for a commit that it sees."""

WHY_STREAM = """A load folds the whole stream, unless there are snapshots, which are off by default: SNAPSHOT_EVERY is there for
aggregates that live long."""
WHY_WATCHERS = """Each handler of the event is called once for it, and decides: a loop, with nothing else that grows."""

Named = Callable[[int], str]


def measure(ground: Ground) -> Part:
    part = Part("growth", "Growth: a command as things grow", ABOUT)
    lengths, sizes = (LENGTHS[:3], SIZES[:2]) if ground.quick else (LENGTHS, SIZES)
    for what, draw in {
        "as its stream grows": partial(_stream, part, ground, lengths),
        "as a store grows on SQLite": partial(_store, part, ground, "sqlite", sizes),
        "as a store grows on Postgres": partial(_store, part, ground, "postgres", sizes),
        "as projections and handlers grow": partial(_watchers, part, ground),
    }.items():
        try:
            draw()
        except CouldNotRun as error:
            part.missing[what] = str(error)
    return part


def _stream(part: Part, ground: Ground, lengths: Sequence[int]) -> None:
    kinds = {"as rendered": 0, f"SNAPSHOT_EVERY={SNAPSHOT_EVERY}": SNAPSHOT_EVERY}
    names = {kind: _named("stream of {} events, " + kind) for kind in kinds}
    with ground.contenders() as start:
        ours = start(
            "ours.growth", "stream", SQLITE_PATH=str(ground.folder / "stream.db"), STORE="sqlite"
        )
        turns: dict[str, Turn] = {}
        for length in lengths:
            for kind, every in kinds.items():
                ours.ask("fill_streams", length=length, snapshot_every=every)
                turns[names[kind](length)] = ours.turn("on", length=length, snapshot_every=every)
        measured = ground.measure(turns)
    _told(part, measured, names, lengths, "events in the stream", log_y=True)
    for kind in kinds:
        _flat(part, measured, names[kind], lengths, 2, why=WHY_STREAM)


def _store(part: Part, ground: Ground, kind: str, sizes: Sequence[int]) -> None:
    name = _named(f"{kind}, a store of {{}} commits")
    with ExitStack() as stack, ground.contenders() as start:
        if kind == "postgres":
            server = stack.enter_context(servers.postgres(ground.folder))
        turns: dict[str, Turn] = {}
        for size in sizes:
            where = {"SQLITE_PATH": str(ground.folder / f"size-{size}.db")}
            if kind == "postgres":
                where = {"DATABASE_URL": stack.enter_context(servers.database(server))}
            ours: Contender = start("ours.growth", kind, str(size), store=kind, STORE=kind, **where)
            ours.ask("fill", commits=size)
            turns[name(size)] = ours.turn("somewhere", commits=size)
        measured = ground.measure(turns)
    _told(part, measured, {kind: name}, sizes, "commits in the store")
    _flat(part, measured, name, sizes, 1.5)


def _watchers(part: Part, ground: Ground) -> None:
    names = {
        "projections": _named("{} projections"),
        "handlers of the event": _named("{} handlers of the event"),
        "each projection, for a commit": _named("each of {} projections, for a commit"),
    }
    projections, handlers, each = names.values()
    with ground.contenders() as start:
        ours = start("ours.growth", "watchers")
        turns: dict[str, Turn] = {}
        for number in WATCHERS:
            turns[projections(number)] = ours.turn("watched", projections=number, subscribers=0)
            turns[handlers(number)] = ours.turn("watched", projections=0, subscribers=number)
            turns[each(number)] = ours.turn("projected", projections=number)
        measured = ground.measure(turns, seconds=ground.seconds / 2)
    _told(part, measured, names, WATCHERS, "of them")
    for name in names.values():
        _flat(part, measured, name, WATCHERS, 2, why=WHY_WATCHERS)


def _told(
    part: Part,
    measured: Measured,
    names: dict[str, Named],
    places: Sequence[int],
    across: str,
    *,
    log_y: bool = False,
) -> None:
    part.times(measured)
    lines = {
        line: [(place, measured.time(name(place)).median * 1e6) for place in places]
        for line, name in names.items()
    }
    caption = f"Microseconds for a command, by {across}: {', '.join(names)}"
    part.pictures[caption] = curves(lines, across=across, upward="µs", log_y=log_y)


def _flat(
    part: Part,
    measured: Measured,
    name: Named,
    places: Sequence[int],
    bound: float,
    *,
    why: str = "",
) -> None:
    least, most = places[0], places[-1]
    part.limit(
        f"{name(most)}, against {least:,}",
        partial(measured.cost, name(most), name(least)),
        bound,
        why=why,
    )


def _named(pattern: str) -> Named:
    return lambda place: pattern.format(f"{place:,}")
