"""The log in Postgres.

`append` is one statement in autocommit, correct at READ COMMITTED. Optimistic concurrency check: it
locks the pending command that the commit consumes and the heads of all its streams, in the order of
their ids, and writes only if all are as expected. A new stream or a new idempotency key has no row
to lock. If two statements create one at the same moment, a unique constraint refuses the second
statement as a whole. The statement has only the parts that the commit needs, so that the server has
less to plan.

The statement takes its lock on the log before it draws a position, and draws the position after it
has locked the heads of its streams. The feed rests on both; see `feed`.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from operator import attrgetter
from typing import Any

from psycopg import errors

from ....bus import (
    PARTS,
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
from .. import PENDING_READ, both_ends
from .append import append_statement
from .database import PostgresDatabase
from .feed import PostgresFeed
from .horizon import old_snapshots
from .rows import (
    AS_GIVEN,
    COMMIT_COLUMNS,
    EARLIER,
    KEY,
    LOAD,
    PENDING_COLUMNS,
    RECORD_COLUMNS,
    RUNNABLE,
    commit_row,
    idempotency_record,
    key_values,
    pending_command,
    pending_row,
    record_row,
    stored_commit,
)
from .views import PostgresViews

BY_KEY = attrgetter("key")


class PostgresEventStore:
    """The event store in the database at `url`; see `PostgresDatabase` for the options."""

    def __init__(self, url: str, **options: Any) -> None:
        self._database = PostgresDatabase(url, **options)
        self.views = PostgresViews(self._database)
        self._feed = PostgresFeed(self._database)

    def load(self, stream_id: str, at: int | None = None, *, fingerprint: str = "") -> LoadedStream:
        values = {"stream": stream_id, "at": at, "print": fingerprint}
        with self._database.connection() as connection:
            rows = connection.execute(LOAD, values).fetchall()
        end, events, snapshot = None, None, None
        pending: list[PendingCommand] = []
        for row in rows:
            if row[0] == 0:
                end, events = row[2], row[5]
            elif row[0] == 1:
                snapshot = Snapshot(stream_id, row[2], fingerprint, row[5])
            else:
                pending.append(pending_command(row[1:]))
        position = Position(stream_id, end or (snapshot.version if snapshot else 0))
        more = len(pending) == PENDING_READ
        if pending:
            pending = sorted([each for each in pending if each.parked_at is None], key=BY_KEY)
        return LoadedStream(
            position, events.split("\x1e") if events else [], pending, snapshot, more
        )

    def commits(
        self, stream_id: str, first: int = 1, last: int | None = None
    ) -> list[StoredCommit]:
        found = self._database.fetch(
            f"SELECT {COMMIT_COLUMNS} FROM commits WHERE stream_id = %s AND version >= %s"
            " AND version <= coalesce(%s::bigint, version) ORDER BY version",
            (stream_id, first, last),
        )
        return [stored_commit(row) for row in found]

    def append(self, commit: Commit) -> None:
        try:
            with self._database.connection() as connection:
                statement, values = append_statement(commit)
                gone, moved = connection.execute(statement, values).fetchone() or (False, [])
        except errors.NotNullViolation as error:
            raise DuplicateCommand(commit.command, commit.command_id) from error
        except (errors.UniqueViolation, ConcurrencyError):
            gone, moved = False, None
        if gone:
            raise DuplicateCommand(commit.command, commit.command_id)
        if moved == []:
            return
        if commit.idempotency and self._is_used(commit.idempotency, commit.recorded_at):
            raise DuplicateCommand(commit.command, commit.command_id)
        if commit.consumes or not self._has(commit):
            raise ConcurrencyError(*(moved or ()))

    def save_snapshot(self, snapshot: Snapshot) -> None:
        self._database.change(
            "INSERT INTO snapshots (stream_id, version, fingerprint, state) VALUES (%s, %s, %s, %s)"
            " ON CONFLICT (stream_id) DO UPDATE SET version = excluded.version,"
            " fingerprint = excluded.fingerprint, state = excluded.state"
            " WHERE excluded.version > snapshots.version"
            " OR excluded.fingerprint <> snapshots.fingerprint",
            (snapshot.stream_id, snapshot.version, snapshot.fingerprint, snapshot.state),
        )

    def handled(self, scope: str, key: str, now: datetime) -> IdempotencyRecord | None:
        found = self._database.fetch(
            f"SELECT {RECORD_COLUMNS} FROM idempotency"
            " WHERE scope = %s AND key = %s AND expires_at > %s",
            (scope, key, now),
        )
        return idempotency_record(found[0]) if found else None

    def pending(self, stream_id: str) -> list[PendingCommand]:
        found = self._database.fetch(
            f"SELECT {PENDING_COLUMNS} FROM pending"
            " WHERE stream_id = %s AND parked_at IS NULL ORDER BY version, ordinal",
            (stream_id,),
        )
        return [pending_command(row) for row in found]

    def is_held_back(self, key: PendingKey) -> bool:
        return bool(self._database.fetch(EARLIER, key_values(key)))

    def due(self, now: datetime, limit: int = 100, part: int | None = None) -> list[str]:
        values = {"now": now, "rows": 2 * limit, "part": part, "parts": PARTS}
        rows = self._database.fetch(RUNNABLE.format("ASC"), values)
        if len(rows) == 2 * limit:
            rows += reversed(self._database.fetch(RUNNABLE.format("DESC"), values))
        return both_ends(list(dict.fromkeys([stream_id for (stream_id,) in rows])), limit)

    def waiting(self, until: datetime, limit: int = 100) -> list[PendingKey]:
        found = self._database.fetch(
            "SELECT stream_id, version, ordinal FROM pending"
            " WHERE parked_at IS NULL AND due_at <= %s ORDER BY due_at LIMIT %s",
            (until, limit),
        )
        return [PendingKey(*row) for row in found]

    def claim(self, pending: PendingCommand, due_at: datetime) -> bool:
        return self._database.change(
            f"UPDATE pending SET attempts = attempts + 1, due_at = %s WHERE {KEY} AND {AS_GIVEN}",
            (due_at, *key_values(pending.key), pending.attempts, pending.due_at),
        )

    def park(self, pending: PendingCommand, at: datetime, error: str) -> bool:
        return self._database.change(
            f"UPDATE pending SET parked_at = %s, error = %s WHERE {KEY} AND {AS_GIVEN}",
            (at, error, *key_values(pending.key), pending.attempts, pending.due_at),
        )

    def parked(self, limit: int = 100) -> list[PendingCommand]:
        found = self._database.fetch(
            f"SELECT {PENDING_COLUMNS} FROM pending"
            " WHERE parked_at IS NOT NULL ORDER BY parked_at LIMIT %s",
            (limit,),
        )
        return [pending_command(row) for row in found]

    def replay(self, key: PendingKey, due_at: datetime) -> bool:
        return self._database.change(
            "UPDATE pending SET attempts = 0, due_at = %s, in_order = false, parked_at = NULL,"
            f" error = '' WHERE {KEY} AND parked_at IS NOT NULL",
            (due_at, *key_values(key)),
        )

    def drop(self, key: PendingKey) -> bool:
        return self._database.change(
            f"DELETE FROM pending WHERE {KEY} AND parked_at IS NOT NULL", key_values(key)
        )

    def feed(self, checkpoint: str | None = None, limit: int = 1000) -> FeedPage:
        return self._feed.page(checkpoint, limit)

    def visible(self, checkpoint: str | None = None, limit: int = 1000) -> FeedPage:
        return self._feed.page(checkpoint, limit, settled=False)

    def end(self) -> str:
        return self._feed.end()

    def holders(self) -> list[str]:
        return self._feed.holders()

    def old_snapshots(self) -> list[str]:
        """Who keeps dead rows in the tables, in words."""
        return old_snapshots(self._database)

    def size(self) -> int:
        count: int = self._database.fetch("SELECT count(*) FROM commits", patient=True)[0][0]
        return count

    def correlated(self, correlation_id: str, progress: Progress) -> Iterable[StoredCommit]:
        rows = self._database.fetch(
            f"SELECT {COMMIT_COLUMNS} FROM commits WHERE correlation_id = %s ORDER BY position",
            (correlation_id,),
        )
        progress(len(rows), len(rows))
        return [stored_commit(row) for row in rows]

    def dump(self) -> Iterator[Stored]:
        with self._database.reading() as connection:
            for statement, made in (
                (f"SELECT {COMMIT_COLUMNS} FROM commits ORDER BY position", stored_commit),
                (f"SELECT {PENDING_COLUMNS} FROM pending ORDER BY 1, 2, 3", pending_command),
                (f"SELECT {RECORD_COLUMNS} FROM idempotency ORDER BY 1, 2", idempotency_record),
            ):
                with connection.cursor(name="dump") as cursor:
                    for row in cursor.execute(statement.encode()):
                        yield made(row)

    def restore(self, batch: Sequence[Stored]) -> None:
        with self._database.connection() as connection, connection.transaction():
            for stored in batch:
                match stored:
                    case StoredCommit():
                        end = stored.version + stored.count - 1
                        connection.execute(
                            "INSERT INTO streams (stream_id, version) VALUES (%s, %s) ON CONFLICT"
                            " (stream_id) DO UPDATE SET version = excluded.version"
                            " WHERE excluded.version > streams.version",
                            (stored.stream_id, end),
                        )
                        table, columns, row = "commits", COMMIT_COLUMNS, commit_row(stored)
                    case PendingCommand():
                        table, columns, row = "pending", PENDING_COLUMNS, pending_row(stored)
                    case IdempotencyRecord():
                        table, columns, row = "idempotency", RECORD_COLUMNS, record_row(stored)
                places = ", ".join(["%s"] * len(row))
                connection.execute(
                    f"INSERT INTO {table} ({columns}) VALUES ({places})"
                    " ON CONFLICT DO NOTHING".encode(),
                    row,
                )

    def ping(self) -> None:
        self._database.fetch("SELECT 1 FROM commits LIMIT 1")

    def close(self) -> None:
        self._database.close()

    def _is_used(self, record: IdempotencyRecord, now: datetime) -> bool:
        return self.handled(record.idempotency.scope, record.idempotency.key, now) is not None

    def _has(self, commit: Commit) -> bool:
        """Whether this very commit was written before: its command id is at the version it
        writes."""
        return any(
            self._database.fetch(
                "SELECT 1 FROM commits WHERE stream_id = %s AND version = %s AND command_id = %s",
                (append.after.stream_id, append.after.version + 1, commit.command_id),
            )
            for append in commit.appends
        )
