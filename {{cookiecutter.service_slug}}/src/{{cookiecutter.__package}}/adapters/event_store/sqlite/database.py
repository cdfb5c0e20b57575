"""The SQLite file: its schema, its connection pool, and its one writer at a time."""

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from queue import Empty, LifoQueue
from threading import Lock
from typing import Any

from ....bus import ConfigurationError, StoreError, StoreUnavailable, part_of

SCHEMA_VERSION = 3
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
    context        TEXT NOT NULL,
    recorded_at    TEXT NOT NULL,
    UNIQUE (stream_id, version)
);
CREATE INDEX IF NOT EXISTS commits_correlated ON commits (correlation_id);
CREATE TABLE IF NOT EXISTS pending (
    stream_id      TEXT NOT NULL,
    version        INTEGER NOT NULL,
    ordinal        INTEGER NOT NULL,
    command_id     TEXT NOT NULL,
    payload        TEXT NOT NULL,
    context        TEXT NOT NULL,
    due_at         TEXT NOT NULL,
    attempts       INTEGER NOT NULL,
    in_order       INTEGER NOT NULL DEFAULT 1,
    parked_at      TEXT,
    error          TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (stream_id, version, ordinal)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS pending_due ON pending (due_at) WHERE parked_at IS NULL;
CREATE INDEX IF NOT EXISTS pending_parked ON pending (parked_at) WHERE parked_at IS NOT NULL;
CREATE TABLE IF NOT EXISTS snapshots (
    stream_id      TEXT PRIMARY KEY,
    version        INTEGER NOT NULL,
    fingerprint    TEXT NOT NULL,
    state          TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS idempotency (
    scope          TEXT NOT NULL,
    key            TEXT NOT NULL,
    fingerprint    TEXT NOT NULL,
    command_id     TEXT NOT NULL,
    after          TEXT NOT NULL,
    expires_at     TEXT NOT NULL,
    PRIMARY KEY (scope, key)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS idempotency_expired ON idempotency (expires_at);
CREATE TABLE IF NOT EXISTS view_rows (
    view           TEXT NOT NULL,
    key            TEXT NOT NULL,
    version        INTEGER NOT NULL,
    label          TEXT NOT NULL,
    sort           TEXT NOT NULL,
    data           TEXT NOT NULL,
    PRIMARY KEY (view, key)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS view_rows_listed ON view_rows (view, label, sort, key);
CREATE TABLE IF NOT EXISTS cells (
    name           TEXT PRIMARY KEY,
    text           TEXT NOT NULL
) WITHOUT ROWID;
"""


CHECK_SECONDS = 0.005
"""How long a writer goes on without another look at whether the file is still there."""
DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
WAL_BYTES = 4 * 2**20
"""The size that the write-ahead log is cut to when it starts again. A long read lets it grow."""


class SqliteDatabase:
    """The file at `path`, for any number of threads. `timeout` is how long, in seconds, a call
    waits for other writers before it raises `StoreUnavailable`. A new file is its owner's alone
    (0600), and SQLite gives the files beside it the same mode.

    Raises `ConfigurationError` if it cannot be opened.
    """

    def __init__(self, path: Path, timeout: float = 5.0) -> None:
        self._path, self._timeout = path, timeout
        self._identity: tuple[int, int] | None = None  # of the file that was opened
        self._damage = ""
        self._checked = 0.0
        self._idle: LifoQueue[sqlite3.Connection] = LifoQueue()
        self._writing = Lock()  # the threads of one process queue here, not in SQLite's busy loop
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            # A file that is there is not opened: closing it would release the locks that SQLite has
            # on it in this process (POSIX advisory locks).
            with suppress(FileExistsError):
                os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
            with self.connection() as connection:
                self._create(connection)
            self._identity = _identity(path)
        except (OSError, sqlite3.DatabaseError, StoreUnavailable) as error:
            reason = error.__cause__ if isinstance(error, StoreUnavailable) else error
            raise ConfigurationError(
                f"SQLITE_PATH: cannot open {path}: {reason or error}: name a file, in a folder that "
                "this process may write to"
            ) from error

    def close(self) -> None:
        while True:
            try:
                self._idle.get_nowait().close()
            except Empty:
                return

    @contextmanager
    def connection(self) -> Iterator[sqlite3.Connection]:
        """A connection from the pool, for this call alone."""
        try:
            try:
                connection = self._idle.get_nowait()
            except Empty:
                self._check_identity()
                connection = self._connect()
            try:
                yield connection
            except BaseException:
                connection.close()  # which rolls back
                raise
            self._idle.put(connection)
        except sqlite3.OperationalError as error:
            raise StoreUnavailable(f"SQLite: {self._path}: {error}") from error
        except sqlite3.DatabaseError as error:
            if getattr(error, "sqlite_errorcode", 0) & 0xFF not in DAMAGED:
                raise
            self._damage = f"SQLite: {self._path}: {error}: put back a backup, and restart"
            raise StoreUnavailable(self._damage) from error

    def check(self) -> None:
        """Raises `StoreUnavailable` if the file was deleted or replaced, or if a call has found it
        damaged."""
        if self._damage:
            raise StoreUnavailable(self._damage)
        self._check_identity()

    def _check_identity(self) -> None:
        """A process goes on with a file that was deleted, and all it writes is lost when it
        ends."""
        if self._identity and self._identity != _identity(self._path):
            raise StoreUnavailable(
                f"SQLite: {self._path} was deleted or replaced: put back the file that was there, "
                "or restart to go on with what is there now"
            )

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A read transaction: everything is read as of one moment."""
        with self.connection() as connection:
            connection.execute("BEGIN")
            yield connection
            connection.execute("COMMIT")

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """A write transaction. Only one runs at a time. An exception rolls it back."""
        if not self._writing.acquire(timeout=self._timeout):
            raise StoreUnavailable(f"SQLite: no turn to write within {self._timeout} s")
        try:
            now = time.monotonic()
            if now - self._checked > CHECK_SECONDS:
                self._check_identity()
                self._checked = now
            with self.connection() as connection:
                connection.execute("BEGIN IMMEDIATE")
                try:
                    yield connection
                except StoreError:
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
            connection.execute(f"PRAGMA journal_size_limit = {WAL_BYTES}")
            connection.create_function("part_of", 1, part_of, deterministic=True)
        except sqlite3.DatabaseError:
            connection.close()
            raise
        return connection

    def _create(self, connection: sqlite3.Connection) -> None:
        deadline = time.monotonic() + self._timeout
        # Write-ahead log (WAL). SQLite does not wait for other connections when it switches to it,
        # whatever the time-out, so this tries again itself.
        while True:
            try:
                connection.execute("PRAGMA journal_mode = WAL")
                break
            except sqlite3.OperationalError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.02)
        found = connection.execute("PRAGMA user_version").fetchone()[0]
        if found not in (0, SCHEMA_VERSION):
            raise ConfigurationError(
                f"SQLITE_PATH: {self._path} has schema {found}, this service knows {SCHEMA_VERSION}"
            )
        connection.executescript(
            f"BEGIN IMMEDIATE; {SCHEMA} PRAGMA user_version = {SCHEMA_VERSION}; COMMIT;"
        )

    def change(self, statement: str, values: tuple[Any, ...]) -> bool:
        """Run a statement that changes one row, or none. Returns whether it changed one."""
        with self.writing() as connection:
            return connection.execute(statement, values).rowcount == 1


def _identity(path: Path) -> tuple[int, int] | None:
    """The device and the number of the file; None if there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return (found.st_dev, found.st_ino)
