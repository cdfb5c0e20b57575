"""The log in one SQLite file.

Write-ahead log with synchronous=FULL: a commit that was acknowledged is on the disk. Only one
writer runs at a time (BEGIN IMMEDIATE); readers never wait for it. Safe for several threads and
processes on one machine, but not on a network file system.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path

from ....bus import (
    Commit,
    ConcurrencyError,
    DuplicateCommand,
    FeedPage,
    IdempotencyRecord,
    LoadedStream,
    PendingCommand,
    PendingKey,
    Position,
    Progress,
    Snapshot,
    Stored,
    StoredCommit,
)
from .. import PENDING_READ, both_ends, utc_text
from .database import SqliteDatabase
from .rows import (
    AS_GIVEN,
    COMMIT_COLUMNS,
    EARLIER,
    KEY,
    PENDING_COLUMNS,
    RECORD_COLUMNS,
    RUNNABLE,
    commit_row,
    given_values,
    idempotency_record,
    key_values,
    pending_command,
    pending_row,
    record_row,
    stored_commit,
)
from .views import SqliteViews


class SqliteEventStore:
    """The event store in the file at `path`. `timeout` is how long, in seconds, a call waits for
    other writers before it raises `StoreUnavailable`."""

    def __init__(self, path: Path, timeout: float = 5.0) -> None:
        self._database = SqliteDatabase(path, timeout)
        self.views = SqliteViews(self._database)

    def load(self, stream_id: str, at: int | None = None, *, fingerprint: str = "") -> LoadedStream:
        with self._database.reading() as connection:
            snapshot = _snapshot(connection, stream_id, fingerprint) if fingerprint else None
            after = snapshot.version if snapshot else 0
            rows = connection.execute(
                "SELECT events FROM commits WHERE stream_id = ?"
                " AND version > ? AND version <= ifnull(?, version) ORDER BY version",
                (stream_id, after, at),
            )
            events = [text for (text,) in rows]
            end = Position(stream_id, _head(connection, stream_id, at))
            read = _first(connection, stream_id) if at is None else []
        pending = [each for each in read if each.parked_at is None]
        return LoadedStream(end, events, pending, snapshot, more=len(read) == PENDING_READ)

    def commits(
        self, stream_id: str, first: int = 1, last: int | None = None
    ) -> list[StoredCommit]:
        with self._database.reading() as connection:
            rows = connection.execute(
                f"SELECT {COMMIT_COLUMNS} FROM commits WHERE stream_id = ?"
                " AND version >= ? AND version <= ifnull(?, version) ORDER BY version",
                (stream_id, first, last),
            )
            return [stored_commit(row) for row in rows]

    def append(self, commit: Commit) -> None:
        with self._database.writing() as connection:
            if commit.consumes and not _consume(connection, commit.consumes):
                raise DuplicateCommand(commit.command, commit.command_id)
            if commit.idempotency and not _use(connection, commit.idempotency, commit.recorded_at):
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
            _insert(connection, StoredCommit.all_of(commit))
            _insert(connection, commit.follow_ups)

    def save_snapshot(self, snapshot: Snapshot) -> None:
        self._database.change(
            "INSERT INTO snapshots (stream_id, version, fingerprint, state) VALUES (?, ?, ?, ?)"
            " ON CONFLICT (stream_id) DO UPDATE SET version = excluded.version,"
            " fingerprint = excluded.fingerprint, state = excluded.state"
            " WHERE excluded.version > version OR excluded.fingerprint <> fingerprint",
            (snapshot.stream_id, snapshot.version, snapshot.fingerprint, snapshot.state),
        )

    def handled(self, scope: str, key: str, now: datetime) -> IdempotencyRecord | None:
        with self._database.reading() as connection:
            row = connection.execute(
                f"SELECT {RECORD_COLUMNS} FROM idempotency"
                " WHERE scope = ? AND key = ? AND expires_at > ?",
                (scope, key, utc_text(now)),
            ).fetchone()
        return idempotency_record(row) if row else None

    def pending(self, stream_id: str) -> list[PendingCommand]:
        with self._database.reading() as connection:
            return _open(connection, stream_id)

    def is_held_back(self, key: PendingKey) -> bool:
        with self._database.reading() as connection:
            found = connection.execute(EARLIER, key_values(key)).fetchone()
        return found is not None

    def due(self, now: datetime, limit: int = 100, part: int | None = None) -> list[str]:
        values = {"now": utc_text(now), "rows": 2 * limit, "part": part}
        with self._database.reading() as connection:
            rows = connection.execute(RUNNABLE.format("ASC"), values).fetchall()
            if len(rows) == 2 * limit:
                rows += reversed(connection.execute(RUNNABLE.format("DESC"), values).fetchall())
        return both_ends(list(dict.fromkeys([stream_id for (stream_id,) in rows])), limit)

    def waiting(self, until: datetime, limit: int = 100) -> list[PendingKey]:
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT stream_id, version, ordinal FROM pending"
                " WHERE parked_at IS NULL AND due_at <= ? ORDER BY due_at LIMIT ?",
                (utc_text(until), limit),
            )
            return [PendingKey(*row) for row in rows]

    def claim(self, pending: PendingCommand, due_at: datetime) -> bool:
        return self._database.change(
            f"UPDATE pending SET attempts = attempts + 1, due_at = ? WHERE {KEY} AND {AS_GIVEN}",
            (utc_text(due_at), *key_values(pending.key), *given_values(pending)),
        )

    def park(self, pending: PendingCommand, at: datetime, error: str) -> bool:
        return self._database.change(
            f"UPDATE pending SET parked_at = ?, error = ? WHERE {KEY} AND {AS_GIVEN}",
            (utc_text(at), error, *key_values(pending.key), *given_values(pending)),
        )

    def parked(self, limit: int = 100) -> list[PendingCommand]:
        with self._database.reading() as connection:
            rows = connection.execute(
                f"SELECT {PENDING_COLUMNS} FROM pending"
                " WHERE parked_at IS NOT NULL ORDER BY parked_at LIMIT ?",
                (limit,),
            )
            return [pending_command(row) for row in rows]

    def replay(self, key: PendingKey, due_at: datetime) -> bool:
        return self._database.change(
            "UPDATE pending SET attempts = 0, due_at = ?, in_order = 0, parked_at = NULL,"
            f" error = '' WHERE {KEY} AND parked_at IS NOT NULL",
            (utc_text(due_at), *key_values(key)),
        )

    def drop(self, key: PendingKey) -> bool:
        return self._database.change(
            f"DELETE FROM pending WHERE {KEY} AND parked_at IS NOT NULL", key_values(key)
        )

    def feed(self, checkpoint: str | None = None, limit: int = 1000) -> FeedPage:
        """In the order of positions. This is the order of the commits, because only one writer runs
        at a time."""
        with self._database.reading() as connection:
            rows = connection.execute(
                f"SELECT {COMMIT_COLUMNS}, position FROM commits"
                " WHERE position > ? ORDER BY position LIMIT ?",
                (int(checkpoint or 0), limit),
            ).fetchall()
        last = str(rows[-1][-1]) if rows else checkpoint or "0"
        return FeedPage([stored_commit(row) for row in rows], last, len(rows) == limit)

    def end(self) -> str:
        with self._database.reading() as connection:
            return str(
                connection.execute("SELECT ifnull(max(position), 0) FROM commits").fetchone()[0]
            )

    def visible(self, checkpoint: str | None = None, limit: int = 1000) -> FeedPage:
        return self.feed(checkpoint, limit)

    def holders(self) -> list[str]:
        return []

    def size(self) -> int:
        with self._database.reading() as connection:
            count: int = connection.execute("SELECT count(*) FROM commits").fetchone()[0]
            return count

    def correlated(self, correlation_id: str, progress: Progress) -> Iterable[StoredCommit]:
        with self._database.reading() as connection:
            rows = connection.execute(
                f"SELECT {COMMIT_COLUMNS} FROM commits WHERE correlation_id = ? ORDER BY position",
                (correlation_id,),
            ).fetchall()
        progress(len(rows), len(rows))
        return [stored_commit(row) for row in rows]

    def dump(self) -> Iterator[Stored]:
        with self._database.reading() as connection:
            commits = connection.execute(f"SELECT {COMMIT_COLUMNS} FROM commits ORDER BY position")
            yield from map(stored_commit, commits)
            pending = connection.execute(
                f"SELECT {PENDING_COLUMNS} FROM pending ORDER BY stream_id, version, ordinal"
            )
            yield from map(pending_command, pending)
            records = connection.execute(f"SELECT {RECORD_COLUMNS} FROM idempotency")
            yield from map(idempotency_record, records)

    def restore(self, batch: Sequence[Stored]) -> None:
        with self._database.writing() as connection:
            _insert(connection, batch, "ON CONFLICT DO NOTHING")

    def ping(self) -> None:
        self._database.check()
        with self._database.connection() as connection:
            connection.execute("SELECT 1 FROM commits LIMIT 1").fetchone()

    def close(self) -> None:
        self._database.close()


def _consume(connection: sqlite3.Connection, key: PendingKey) -> bool:
    deleted = connection.execute(
        f"DELETE FROM pending WHERE {KEY} AND parked_at IS NULL", key_values(key)
    )
    return deleted.rowcount == 1


def _head(connection: sqlite3.Connection, stream_id: str, at: int | None = None) -> int:
    row = connection.execute(
        "SELECT version + count - 1 FROM commits"
        " WHERE stream_id = ? AND version <= ifnull(?, version) ORDER BY version DESC LIMIT 1",
        (stream_id, at),
    ).fetchone()
    return row[0] if row else 0


def _has(connection: sqlite3.Connection, commit: Commit) -> bool:
    """Whether this very commit was written before: its command id is at the version it writes."""
    return any(
        connection.execute(
            "SELECT 1 FROM commits WHERE stream_id = ? AND version = ? AND command_id = ?",
            (append.after.stream_id, append.after.version + 1, commit.command_id),
        ).fetchone()
        for append in commit.appends
    )


def _snapshot(connection: sqlite3.Connection, stream_id: str, fingerprint: str) -> Snapshot | None:
    row = connection.execute(
        "SELECT stream_id, version, fingerprint, state FROM snapshots"
        " WHERE stream_id = ? AND fingerprint = ?",
        (stream_id, fingerprint),
    ).fetchone()
    return Snapshot(*row) if row else None


def _open(connection: sqlite3.Connection, stream_id: str) -> list[PendingCommand]:
    rows = connection.execute(
        f"SELECT {PENDING_COLUMNS} FROM pending"
        " WHERE stream_id = ? AND parked_at IS NULL ORDER BY version, ordinal",
        (stream_id,),
    )
    return [pending_command(row) for row in rows]


def _first(connection: sqlite3.Connection, stream_id: str) -> list[PendingCommand]:
    rows = connection.execute(
        f"SELECT {PENDING_COLUMNS} FROM pending WHERE stream_id = ?"
        " ORDER BY version, ordinal LIMIT ?",
        (stream_id, PENDING_READ),
    )
    return [pending_command(row) for row in rows]


def _use(connection: sqlite3.Connection, record: IdempotencyRecord, now: datetime) -> bool:
    """Insert this idempotency record, and delete the expired ones. False if its key is already
    used."""
    connection.execute("DELETE FROM idempotency WHERE expires_at <= ?", (utc_text(now),))
    key = (record.idempotency.scope, record.idempotency.key)
    if connection.execute("SELECT 1 FROM idempotency WHERE scope = ? AND key = ?", key).fetchone():
        return False
    _insert(connection, [record])
    return True


def _insert(connection: sqlite3.Connection, batch: Sequence[Stored], on_conflict: str = "") -> None:
    for stored in batch:
        match stored:
            case StoredCommit():
                table, columns, row = "commits", COMMIT_COLUMNS, commit_row(stored)
            case PendingCommand():
                table, columns, row = "pending", PENDING_COLUMNS, pending_row(stored)
            case IdempotencyRecord():
                table, columns, row = "idempotency", RECORD_COLUMNS, record_row(stored)
        places = ", ".join("?" * len(row))
        connection.execute(f"INSERT INTO {table} ({columns}) VALUES ({places}) {on_conflict}", row)
