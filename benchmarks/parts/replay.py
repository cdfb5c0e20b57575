"""One aggregate with very many events, loaded anew."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from psycopg import conninfo

from benchmarks import servers
from benchmarks.ground import Contender, Ground
from benchmarks.measure import CouldNotRun, Turn
from benchmarks.report import Part
from benchmarks.svg import bars

EVENTS = 100_000
DECODING = "typed decoding alone"
STORES = ("memory", "sqlite", "postgres")

ABOUT = f"""One order with {EVENTS:,} events of the example service, each of a commit of its own, loaded and folded. Decoding alone turns
the same texts into the same typed events with msgspec, and drops them. eventsourcing loads as many events
of its own from the same kind of store."""

WHY_STORE = """The driver needs more than half of what the limit allows for bringing 100,000 texts, a single column; decoding
and applying what is in them takes as long as from memory."""
WHY_DECODING = (
    """The rest is the loop over the commits and a call of the method that applies each event."""
)


def measure(ground: Ground) -> Part:
    part = Part("replay", "Replay: one aggregate with 100,000 events", ABOUT)
    events = EVENTS // 20 if ground.quick else EVENTS
    turns: dict[str, Turn] = {}
    with ExitStack() as stack, ground.contenders() as start:
        for store in STORES:
            try:
                settings, theirs = _settings(stack, store, ground.folder)
            except CouldNotRun as error:
                part.missing[store] = str(error)
                continue
            more = ["decode"] if store == "memory" else []
            where = "postgres" if store == "postgres" else "sqlite"
            begin = partial(
                start, "ours.replay", store, *more, store=where, STORE=store, **settings
            )
            ours = _filled(part, turns, f"ours, {store}", begin, events)
            if ours and more:
                turns[DECODING] = ours.turn("decode")
            begin = partial(start, "peers.eventsourcing", store, peer="eventsourcing", **theirs)
            _filled(part, turns, f"eventsourcing, {store}", begin, events)
        measured = ground.measure(turns)
    part.times(measured, "ms", 1e3)
    part.pictures["Milliseconds for the whole aggregate, on a logarithmic scale"] = bars(
        {name: measured.time(name).median * 1e3 for name in measured.seconds}, unit="ms", log=True
    )
    part.limit(
        "speed in memory against typed decoding alone",
        partial(measured.speed, "ours, memory", DECODING),
        0.75,
        at_least=True,
        why=WHY_DECODING,
    )
    for store in STORES:
        part.limit(
            f"speed from {store} against eventsourcing",
            partial(measured.speed, f"ours, {store}", f"eventsourcing, {store}"),
            30,
            at_least=True,
            why=WHY_STORE if store != "memory" else "",
        )
    return part


def _filled(
    part: Part, turns: dict[str, Turn], name: str, begin: Callable[[], Contender], events: int
) -> Contender | None:
    """Start a contender, give it its events and the turn of loading them; or say why not."""
    try:
        contender = begin()
        contender.ask("fill", count=events)
    except CouldNotRun as error:
        part.missing[name] = str(error)
        return None
    turns[name] = contender.turn("replay")
    return contender


def _settings(stack: ExitStack, store: str, folder: Path) -> tuple[dict[str, str], dict[str, str]]:
    """The environments in which we and eventsourcing keep events there."""
    match store:
        case "sqlite":
            ours = {"SQLITE_PATH": str(folder / "replay.db")}
            return ours, {
                "PERSISTENCE_MODULE": "eventsourcing.sqlite",
                "SQLITE_DBNAME": str(folder / "replay-eventsourcing.db"),
            }
        case "postgres":
            server = stack.enter_context(servers.postgres(folder))
            url = stack.enter_context(servers.database(server))
            other = stack.enter_context(servers.database(server))
            parts = conninfo.conninfo_to_dict(other)
            return {"DATABASE_URL": url}, {
                "PERSISTENCE_MODULE": "eventsourcing.postgres",
                "POSTGRES_DBNAME": str(parts["dbname"]),
                "POSTGRES_HOST": str(parts.get("host", "")),
                "POSTGRES_PORT": str(parts.get("port", 5432)),
                "POSTGRES_USER": str(parts.get("user", "")),
                "POSTGRES_PASSWORD": str(parts.get("password", "")),
            }
        case _:
            return {}, {}
