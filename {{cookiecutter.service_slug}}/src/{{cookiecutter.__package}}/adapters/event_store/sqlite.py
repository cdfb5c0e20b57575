"""The event store in one SQLite file: nothing to install, and data survives a restart.

Write-ahead log with synchronous=FULL: a commit that was acknowledged is on the disk. Writers take
turns (BEGIN IMMEDIATE), readers never wait for them. Safe for several threads and processes on one
machine; not for network file systems.
"""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from queue import Empty, LifoQueue
from threading import Lock
from typing import Any

from ...bus.errors import ConcurrencyError, ConfigurationError, DuplicateCommand, StoreUnavailable
from ...bus.store import (
    Commit,
    EventStore,
    LoadedStream,
    PendingCommand,
    PendingKey,
    Position,
    StoredCommit,
)
from ...config import Settings
from . import utc_text

SCHEMA_VERSION = 1
SCHEMA = """
CREATE TABLE IF NOT EXISTS commits (
    position       INTEGER PRIMARY KEY AUTOINCREMENT,
    stream_id      TEXT NOT NULL,
    version        INTEGER NOT NULL,
    count          INTEGER NOT NULL,
    events         TEXT NOT NULL,
    command_id     TEXT NOT NULL,
    command        TEXT NOT NULL,
    correlation_id TEXT NOT NULL,
    causation_id   TEXT,
    recorded_at    TEXT NOT NULL,
    UNIQUE (stream_id, version)
);
CREATE TABLE IF NOT EXISTS pending (
    stream_id      TEXT NOT NULL,
    version        INTEGER NOT NULL,
    ordinal        INTEGER NOT NULL,
    command_id     TEXT NOT NULL,
    payload        TEXT NOT NULL,
    causation_id   TEXT NOT NULL,
    correlation_id TEXT NOT NULL,
    due_at         TEXT NOT NULL,
    attempts       INTEGER NOT NULL,
    in_order       INTEGER NOT NULL DEFAULT 1,
    parked_at      TEXT,
    error          TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (stream_id, version, ordinal)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS pending_due ON pending (due_at) WHERE parked_at IS NULL;
CREATE INDEX IF NOT EXISTS pending_parked ON pending (parked_at) WHERE parked_at IS NOT NULL;
"""
COMMIT_COLUMNS = (
    "stream_id, version, count, events,"
    " command_id, command, correlation_id, causation_id, recorded_at"
)
PENDING_COLUMNS = (
    "stream_id, version, ordinal,"
    " command_id, payload, causation_id, correlation_id, attempts, due_at, in_order, parked_at, error"
)
AS_GIVEN = "parked_at IS NULL AND attempts = ? AND due_at = ?"
KEY = "stream_id = ? AND version = ? AND ordinal = ?"


class SqliteEventStore:
    """Streams and pending commands as two tables. `timeout` is how long, in seconds, a call waits
    for other writers before it raises `StoreUnavailable`."""

    def __init__(self, path: Path, timeout: float = 5.0) -> None:
        self._path, self._timeout = path, timeout
        self._idle: LifoQueue[sqlite3.Connection] = LifoQueue()
        self._writing = Lock()  # the threads of one process queue here, not in SQLite's busy loop
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with self._connection() as connection:
                self._create(connection)
        except (OSError, sqlite3.DatabaseError, StoreUnavailable) as error:
            raise ConfigurationError(f"SQLITE_PATH: cannot open {path}: {error}") from error

    def load(self, stream_id: str, at: int | None = None) -> LoadedStream:
        with self._reading() as connection:
            rows = connection.execute(
                f"SELECT {COMMIT_COLUMNS} FROM commits"
                " WHERE stream_id = ? AND version <= ifnull(?, version) ORDER BY version",
                (stream_id, at),
            ).fetchall()
            pending = self._open(connection, stream_id) if at is None else []
        commits = [_stored_commit(row) for row in rows]
        end = commits[-1].version + commits[-1].count - 1 if commits else 0
        return LoadedStream(Position(stream_id, end), commits, pending)

    def append(self, commit: Commit) -> None:
        with self._write() as connection:
            if commit.consumes and not _consume(connection, commit.consumes):
                raise DuplicateCommand(commit.command, commit.command_id)
            positions = [*(append.after for append in commit.appends), *commit.unchanged]
            moved = [
                position.stream_id
                for position in positions
                if _head(connection, position.stream_id) != position.version
            ]
            if moved and _has(connection, commit):
                return
            if moved:
                raise ConcurrencyError(*moved)
            connection.executemany(
                f"INSERT INTO commits ({COMMIT_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [_commit_row(stored) for stored in StoredCommit.all_of(commit)],
            )
            connection.executemany(
                f"INSERT INTO pending ({PENDING_COLUMNS})"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [_pending_row(pending) for pending in commit.follow_ups],
            )

    def pending(self, stream_id: str) -> list[PendingCommand]:
        with self._reading() as connection:
            return self._open(connection, stream_id)

    def due(self, now: datetime, limit: int = 100) -> list[PendingKey]:
        with self._reading() as connection:
            rows = connection.execute(
                "SELECT stream_id, version, ordinal FROM pending"
                " WHERE parked_at IS NULL AND due_at <= ? ORDER BY due_at LIMIT ?",
                (utc_text(now), limit),
            )
            return [PendingKey(*row) for row in rows]

    def claim(self, pending: PendingCommand, due_at: datetime) -> bool:
        return self._change(
            f"UPDATE pending SET attempts = attempts + 1, due_at = ? WHERE {KEY} AND {AS_GIVEN}",
            (utc_text(due_at), *_key(pending.key), *_given(pending)),
        )

    def park(self, pending: PendingCommand, at: datetime, error: str) -> bool:
        return self._change(
            f"UPDATE pending SET parked_at = ?, error = ? WHERE {KEY} AND {AS_GIVEN}",
            (utc_text(at), error, *_key(pending.key), *_given(pending)),
        )

    def parked(self, limit: int = 100) -> list[PendingCommand]:
        with self._reading() as connection:
            rows = connection.execute(
                f"SELECT {PENDING_COLUMNS} FROM pending"
                " WHERE parked_at IS NOT NULL ORDER BY parked_at LIMIT ?",
                (limit,),
            )
            return [_pending_command(row) for row in rows]

    def replay(self, key: PendingKey, due_at: datetime) -> bool:
        return self._change(
            "UPDATE pending SET attempts = 0, due_at = ?, in_order = 0, parked_at = NULL, error = ''"
            f" WHERE {KEY} AND parked_at IS NOT NULL",
            (utc_text(due_at), *_key(key)),
        )

    def drop(self, key: PendingKey) -> bool:
        return self._change(f"DELETE FROM pending WHERE {KEY} AND parked_at IS NOT NULL", _key(key))

    def ping(self) -> None:
        with self._connection() as connection:
            connection.execute("SELECT 1 FROM commits LIMIT 1").fetchone()

    def close(self) -> None:
        while True:
            try:
                self._idle.get_nowait().close()
            except Empty:
                return

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        """A connection of this call's own; those that are idle are used again."""
        try:
            try:
                connection = self._idle.get_nowait()
            except Empty:
                connection = self._connect()
            try:
                yield connection
            except BaseException:
                connection.close()  # and so rolls back
                raise
            self._idle.put(connection)
        except sqlite3.OperationalError as error:
            raise StoreUnavailable(f"SQLite: {error}") from error

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        """A transaction: everything read in it is of one moment."""
        with self._connection() as connection:
            connection.execute("BEGIN")
            yield connection
            connection.execute("COMMIT")

    @contextmanager
    def _write(self) -> Iterator[sqlite3.Connection]:
        """The one write transaction; an exception rolls it back."""
        if not self._writing.acquire(timeout=self._timeout):
            raise StoreUnavailable(f"SQLite: no turn to write within {self._timeout} s")
        try:
            with self._connection() as connection:
                connection.execute("BEGIN IMMEDIATE")
                try:
                    yield connection
                except (ConcurrencyError, DuplicateCommand):
                    connection.execute("ROLLBACK")
                    raise
                connection.execute("COMMIT")
        finally:
            self._writing.release()

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self._path, timeout=self._timeout, isolation_level=None, check_same_thread=False
        )
        try:
            connection.execute("PRAGMA synchronous = FULL")
        except sqlite3.DatabaseError:
            connection.close()
            raise
        return connection

    def _create(self, connection: sqlite3.Connection) -> None:
        deadline = time.monotonic() + self._timeout
        while True:  # the switch to WAL does not wait for other connections by itself
            try:
                connection.execute("PRAGMA journal_mode = WAL")
                break
            except sqlite3.OperationalError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.02)
        found = connection.execute("PRAGMA user_version").fetchone()[0]
        if found > SCHEMA_VERSION:
            raise ConfigurationError(
                f"SQLITE_PATH: {self._path} has schema {found}, this service knows {SCHEMA_VERSION}"
            )
        connection.executescript(
            f"BEGIN IMMEDIATE; {SCHEMA} PRAGMA user_version = {SCHEMA_VERSION}; COMMIT;"
        )

    def _open(self, connection: sqlite3.Connection, stream_id: str) -> list[PendingCommand]:
        rows = connection.execute(
            f"SELECT {PENDING_COLUMNS} FROM pending"
            " WHERE stream_id = ? AND parked_at IS NULL ORDER BY version, ordinal",
            (stream_id,),
        )
        return [_pending_command(row) for row in rows]

    def _change(self, statement: str, values: tuple[Any, ...]) -> bool:
        with self._write() as connection:
            return connection.execute(statement, values).rowcount == 1


def _consume(connection: sqlite3.Connection, key: PendingKey) -> bool:
    deleted = connection.execute(
        f"DELETE FROM pending WHERE {KEY} AND parked_at IS NULL", _key(key)
    )
    return deleted.rowcount == 1


def _head(connection: sqlite3.Connection, stream_id: str) -> int:
    row = connection.execute(
        "SELECT version + count - 1 FROM commits WHERE stream_id = ? ORDER BY version DESC LIMIT 1",
        (stream_id,),
    ).fetchone()
    return row[0] if row else 0


def _has(connection: sqlite3.Connection, commit: Commit) -> bool:
    """Whether this very commit was taken before: its first events stand where it puts them."""
    return any(
        connection.execute(
            "SELECT 1 FROM commits WHERE stream_id = ? AND version = ? AND command_id = ?",
            (append.after.stream_id, append.after.version + 1, commit.command_id),
        ).fetchone()
        for append in commit.appends
    )


def _commit_row(stored: StoredCommit) -> tuple[Any, ...]:
    return (
        stored.stream_id,
        stored.version,
        stored.count,
        stored.events,
        stored.command_id,
        stored.command,
        stored.correlation_id,
        stored.causation_id,
        utc_text(stored.recorded_at),
    )


def _stored_commit(row: tuple[Any, ...]) -> StoredCommit:
    return StoredCommit(*(*row[:-1], datetime.fromisoformat(row[-1])))


def _pending_row(pending: PendingCommand) -> tuple[Any, ...]:
    key = pending.key
    return (
        key.stream_id,
        key.version,
        key.ordinal,
        pending.command_id,
        pending.payload,
        pending.causation_id,
        pending.correlation_id,
        pending.attempts,
        utc_text(pending.due_at),
        pending.in_order,
        pending.parked_at and utc_text(pending.parked_at),
        pending.error,
    )


def _pending_command(row: tuple[Any, ...]) -> PendingCommand:
    due_at, in_order, parked_at, error = row[8:]
    times_and_state = (
        datetime.fromisoformat(due_at),
        bool(in_order),
        datetime.fromisoformat(parked_at) if parked_at else None,
        error,
    )
    return PendingCommand(PendingKey(*row[:3]), *(*row[3:8], *times_and_state))


def _key(key: PendingKey) -> tuple[str, int, int]:
    return (key.stream_id, key.version, key.ordinal)


def _given(pending: PendingCommand) -> tuple[int, str]:
    return (pending.attempts, utc_text(pending.due_at))


def open_store(settings: Settings) -> EventStore:
    """The store in the file at SQLITE_PATH, which is made if it is not there."""
    return SqliteEventStore(settings.sqlite_path)
