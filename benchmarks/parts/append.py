"""A commit of one event, on each medium, next to the one bare call that it takes at least."""

from __future__ import annotations

from functools import partial

from benchmarks import servers
from benchmarks.ground import Ground
from benchmarks.measure import CouldNotRun, Measured
from benchmarks.report import Part
from benchmarks.svg import bars

ABOUT = """A commit of one event into a new stream. The floors: one write of its text to a file, with fdatasync;
one bare INSERT in autocommit; one bare conditional put with botocore. On DynamoDB once against moto's server
and once against a stub that only answers, so that what the client costs can be seen. Whole commands, through
the bus, stand beside them."""

WHY_FULL = """SQLite itself takes that long: one bare INSERT with the same settings stands in the table. It writes several
pages to its log (the row, its index, the sequence), where the floor writes two hundred bytes."""
WHY_POSTGRES = """The statement writes two tables, the head of the stream and the commit, each with its index, and checks one
against the other; the floor writes one and checks nothing."""
WHY_DYNAMODB = """The rest is pynamodb's: it makes the item attribute by attribute, and wraps the call of botocore."""


def measure(ground: Ground) -> Part:
    part = Part("append", "Append: a commit of one event", ABOUT)
    for on in (sqlite, postgres, dynamodb):
        try:
            on(part, ground)
        except CouldNotRun as error:
            part.missing[on.__name__] = str(error)
    return part


def sqlite(part: Part, ground: Ground) -> None:
    with ground.contenders() as start:
        full = start("ours.append", "sqlite", SQLITE_PATH=str(ground.folder / "full/append.db"))
        normal = start("ours.append", "sqlite", SQLITE_PATH=str(ground.folder / "normal/append.db"))
        normal.ask("normal")
        measured = ground.measure(
            {
                "ours, SQLite FULL": full.turn("append"),
                "one write + fdatasync": full.turn("write_fdatasync"),
                "one bare INSERT, FULL": full.turn("insert_full"),
                "ours, SQLite FULL, whole command": full.turn("command"),
                "ours, SQLite NORMAL": normal.turn("append"),
                "one write": normal.turn("write"),
                "one bare INSERT, NORMAL": normal.turn("insert_normal"),
                "ours, SQLite NORMAL, whole command": normal.turn("command"),
            }
        )
    _told(part, measured, "SQLite")
    part.limit(
        "SQLite FULL against one write + fdatasync",
        partial(measured.cost, "ours, SQLite FULL", "one write + fdatasync"),
        1.2,
        why=WHY_FULL,
    )
    part.limit(
        "SQLite NORMAL, which does not wait for the disk, against the same",
        partial(measured.cost, "ours, SQLite NORMAL", "one write + fdatasync"),
        1.2,
    )


def postgres(part: Part, ground: Ground) -> None:
    with (
        servers.postgres(ground.folder) as server,
        servers.database(server) as url,
        ground.contenders() as start,
    ):
        ours = start(
            "ours.append", "postgres", store="postgres", STORE="postgres", DATABASE_URL=url
        )
        durability = ours.ask("durability")
        ground.versions["Postgres"] = durability.pop("server_version")
        measured = ground.measure(
            {
                "ours, Postgres": ours.turn("append"),
                "one bare INSERT, Postgres": ours.turn("insert"),
                "ours, Postgres, whole command": ours.turn("command"),
            }
        )
    said = ", ".join(f"{name} {value}" for name, value in durability.items())
    _told(part, measured, f"Postgres ({said})")
    part.limit(
        "Postgres against one bare INSERT in autocommit",
        partial(measured.cost, "ours, Postgres", "one bare INSERT, Postgres"),
        1.5,
        why=WHY_POSTGRES,
    )


def dynamodb(part: Part, ground: Ground) -> None:
    for kind, serve in (("moto", servers.moto), ("stub", servers.stub)):
        with serve(ground.folder) as url, ground.contenders() as start:
            ours = start("ours.append", "dynamodb", kind, store="dynamodb", **servers.aws(url))
            measured = ground.measure(
                {
                    f"ours, DynamoDB ({kind})": ours.turn("append"),
                    f"one bare put ({kind})": ours.turn("put"),
                    f"ours, DynamoDB ({kind}), whole command": ours.turn("command"),
                }
            )
        _told(part, measured, f"DynamoDB ({kind})")
        part.limit(
            f"DynamoDB against one bare botocore call ({kind})",
            partial(measured.cost, f"ours, DynamoDB ({kind})", f"one bare put ({kind})"),
            1.2,
            why=WHY_DYNAMODB,
        )


def _told(part: Part, measured: Measured, what: str) -> None:
    part.times(measured)
    each = {name: measured.time(name).median * 1e6 for name in measured.seconds}
    part.pictures[f"Microseconds for a commit on {what}"] = bars(each, unit="µs")
