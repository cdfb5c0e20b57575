"""A commit of one event into a new stream: through the store, and as the one bare call that the same
medium takes at least."""

from __future__ import annotations

import os
import sqlite3
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from bench_service.bootstrap import create_store, open_store
from bench_service.bus import Commit, Context, Position, RandomIds, StreamAppend
from bench_service.config import load_settings

from benchmarks.contender import serve, timed

from . import counting

settings = load_settings()
if "stub" not in sys.argv:  # there is nothing to create
    create_store(settings)
store: Any = open_store(settings)
ids = RandomIds()


@cache
def bus() -> Any:
    return counting.make_bus(store)


def made(n: int) -> list[Commit]:
    codec = bus().codecs.of_stream("Counter/")
    now = datetime.now(UTC)
    commits = []
    for _ in range(n):
        name, command_id = ids.new_id(), ids.new_id()
        text = codec.encode([counting.Opened(counter_id=name)])
        append = StreamAppend(Position.start(f"Counter/{name}"), text, 1)
        commits.append(
            Commit(
                command_id=command_id,
                command="Open",
                context=Context(command_id),
                recorded_at=now,
                appends=(append,),
            )
        )
    return commits


def append(n: int) -> float:
    commits = made(n)
    return timed(lambda number: store.append(commits[number]), n)


def command(n: int) -> float:
    """The whole command, through the bus."""
    commands = [counting.Open(counter_id=ids.new_id()) for _ in range(n)]
    return timed(lambda number: bus().handle(commands[number]), n)


def normal() -> None:
    """Have the store's one connection synchronise only at checkpoints, from here on."""
    with store._database.connection() as connection:
        connection.execute("PRAGMA synchronous = NORMAL")


def write_to(name: str, sync: Callable[[int], None]) -> Callable[[int], float]:
    """One write of the commit's text to the end of a file, and what makes it last."""

    def work(n: int) -> float:
        texts = [each.appends[0].events.encode() for each in made(n)]
        file = os.open(settings.sqlite_path.with_name(name), os.O_WRONLY | os.O_CREAT | os.O_APPEND)

        def step(number: int) -> None:
            os.write(file, texts[number])
            sync(file)

        seconds = timed(step, n)
        os.close(file)
        return seconds

    return work


def insert_sqlite(synchronous: str) -> Callable[[int], float]:
    """One bare INSERT, each a transaction of its own, into the same table in another file."""
    path: Path = settings.sqlite_path.with_name(f"bare-{synchronous}.db")

    @cache
    def connection() -> sqlite3.Connection:
        opened = sqlite3.connect(path, isolation_level=None)
        opened.execute("PRAGMA journal_mode = WAL")
        opened.execute(f"PRAGMA synchronous = {synchronous}")
        opened.execute(
            "CREATE TABLE commits (position INTEGER PRIMARY KEY AUTOINCREMENT, stream_id TEXT NOT NULL,"
            " version INTEGER NOT NULL, count INTEGER NOT NULL, events TEXT NOT NULL,"
            " command_id TEXT NOT NULL, command TEXT NOT NULL, correlation_id TEXT NOT NULL,"
            " context TEXT NOT NULL, recorded_at TEXT NOT NULL, UNIQUE (stream_id, version))"
        )
        return opened

    def work(n: int) -> float:
        rows = [row(each, each.recorded_at.isoformat()) for each in made(n)]
        execute = connection().execute
        statement = "INSERT INTO commits VALUES (NULL, ?, 1, 1, ?, ?, 'Open', ?, ?, ?)"
        return timed(lambda number: execute(statement, rows[number]), n)

    return work


def row(commit: Commit, recorded_at: Any) -> tuple[Any, ...]:
    (append,) = commit.appends
    stream_id, command_id = append.after.stream_id, commit.command_id
    context = commit.context.text()
    return (stream_id, append.events, command_id, command_id, context, recorded_at)


@cache
def postgres() -> Any:
    import psycopg

    opened = psycopg.connect(settings.database_url.get_secret_value(), autocommit=True)
    opened.execute("CREATE TABLE bare (LIKE commits INCLUDING ALL)")
    return opened


def insert_postgres(n: int) -> float:
    """One bare INSERT in autocommit, into a table like that of the commits."""
    rows = [row(each, each.recorded_at) for each in made(n)]
    execute = postgres().execute
    statement = (
        "INSERT INTO bare (stream_id, version, count, events, command_id, command, correlation_id,"
        " context, recorded_at) VALUES (%s, 1, 1, %s, %s, 'Open', %s, %s, %s)"
    )
    return timed(lambda number: execute(statement, rows[number]), n)


def durability() -> dict[str, str]:
    """What the server does for it."""
    names = ("fsync", "synchronous_commit", "server_version")
    return {name: postgres().execute(f"SHOW {name}").fetchone()[0] for name in names}


@cache
def client() -> Any:
    import boto3
    from botocore.config import Config

    config = Config(retries={"max_attempts": 0}, parameter_validation=False)
    return boto3.client("dynamodb", endpoint_url=settings.aws_endpoint_url, config=config)


def put(n: int) -> float:
    """One bare put of the same item, with the same condition."""
    items = [
        {
            "stream_id": {"S": each.appends[0].after.stream_id},
            "sort": {"S": "commit#0000000001"},
            "count": {"N": "1"},
            "events": {"S": each.appends[0].events},
            "command_id": {"S": each.command_id},
            "command": {"S": each.command},
            "context": {"S": each.context.text()},
            "recorded_at": {"S": each.recorded_at.isoformat()},
        }
        for each in made(n)
    ]
    table = settings.dynamodb_table
    condition = "attribute_not_exists(sort)"
    return timed(
        lambda number: client().put_item(
            TableName=table, Item=items[number], ConditionExpression=condition
        ),
        n,
    )


WORKS: dict[str, dict[str, Any]] = {
    "sqlite": {
        "normal": normal,
        "write": write_to("plain", lambda _file: None),
        "write_fdatasync": write_to("synced", os.fdatasync),
        "insert_full": insert_sqlite("FULL"),
        "insert_normal": insert_sqlite("NORMAL"),
    },
    "postgres": {"insert": insert_postgres, "durability": durability},
    "dynamodb": {"put": put},
}
LIBRARIES = {
    "sqlite": (),
    "postgres": ("psycopg", "psycopg-pool"),
    "dynamodb": ("botocore", "pynamodb"),
}

if __name__ == "__main__":
    kind = sys.argv[1]
    serve(*LIBRARIES[kind], append=append, command=command, **WORKS[kind])
