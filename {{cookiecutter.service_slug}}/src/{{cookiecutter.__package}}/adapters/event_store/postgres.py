"""The event store in Postgres: one statement for each commit, SQL to look inside.

`append` is one statement in autocommit, right at READ COMMITTED: it locks the pending command it
consumes and the heads of all streams it names, in order, and writes only if all are as expected. What
another statement does at the same moment to what was not there to be locked, a new stream or a new
idempotency key, ends in a violated constraint, and so in nothing written. The statement says nothing
of what a commit does not have: the server is spared the looking.

The feed is ordered by (transaction id, position) and ends below the oldest transaction that still
runs: a commit that comes late is never behind a checkpoint, and a number never used is no gap.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import psycopg
from psycopg import errors

from ...bus.errors import ConcurrencyError, ConfigurationError, DuplicateCommand, StoreUnavailable
from ...bus.store import (
    Commit,
    EventStore,
    FeedPage,
    Idempotency,
    IdempotencyRecord,
    LoadedStream,
    PendingCommand,
    PendingKey,
    Position,
    Snapshot,
    Stored,
    StoredCommit,
)
from ...config import Settings
from .postgres_database import PostgresDatabase, checked_url
from .postgres_views import PostgresViews

COMMIT_COLUMNS = (
    "stream_id, version, count, events,"
    " command_id, command, correlation_id, causation_id, recorded_at"
)
PENDING_COLUMNS = (
    "stream_id, version, ordinal,"
    " command_id, payload, causation_id, correlation_id, attempts, due_at, in_order, parked_at, error"
)
RECORD_COLUMNS = "scope, key, fingerprint, command_id, after, expires_at"
AS_GIVEN = "parked_at IS NULL AND attempts = %s AND due_at = %s"
KEY = "stream_id = %s AND version = %s AND ordinal = %s"

COMMITS = (
    "unnest(%(streams)s::text[], %(firsts)s::bigint[], %(counts)s::int[], %(texts)s::text[])"
    " AS new (stream_id, version, count, events)"
)
PENDING = (
    "unnest(%(p_stream)s::text[], %(p_version)s::bigint[], %(p_ordinal)s::int[],"
    " %(p_command_id)s::text[], %(p_payload)s::text[], %(p_causation_id)s::text[],"
    " %(p_correlation_id)s::text[], %(p_attempts)s::int[], %(p_due_at)s::timestamptz[],"
    " %(p_in_order)s::bool[], %(p_parked_at)s::timestamptz[], %(p_error)s::text[])"
)
STILL_OPEN = """token AS (
    SELECT FROM pending WHERE stream_id = %(c_stream)s AND version = %(c_version)s
    AND ordinal = %(c_ordinal)s AND parked_at IS NULL FOR UPDATE
)"""
NOTHING_TO_CONSUME = "token AS (SELECT)"
ONE_HEAD = """agreed AS (
    INSERT INTO streams AS head (stream_id, version)
    SELECT %(stream)s, %(becomes)s FROM token
    ON CONFLICT (stream_id) DO UPDATE SET version = excluded.version WHERE head.version = %(at)s
    RETURNING 1
), moved AS (
    SELECT %(stream)s::text AS stream_id WHERE NOT EXISTS (SELECT FROM agreed)
)"""
HEADS = """expected AS (
    SELECT * FROM unnest(%(all)s::text[], %(all_at)s::bigint[], %(all_become)s::bigint[])
        AS e (stream_id, version, becomes)
), heads AS (
    SELECT stream_id, version FROM streams WHERE stream_id = ANY(%(all)s::text[])
    ORDER BY stream_id FOR UPDATE
), moved AS (
    SELECT stream_id FROM expected LEFT JOIN heads USING (stream_id)
    WHERE coalesce(heads.version, 0) <> expected.version
), agreed AS (
    SELECT FROM token WHERE NOT EXISTS (SELECT FROM moved)
), known AS (
    INSERT INTO streams (stream_id, version)
    SELECT stream_id, becomes FROM expected, agreed WHERE becomes > expected.version
    ORDER BY stream_id
    ON CONFLICT (stream_id) DO UPDATE SET version = excluded.version
), unborn AS (
    INSERT INTO streams (stream_id, version)
    SELECT stream_id, 0 FROM expected, agreed
    WHERE becomes = 0 AND stream_id NOT IN (SELECT stream_id FROM heads)
)"""
METADATA = (
    "%(command_id)s::text, %(command)s::text, %(correlation_id)s::text,"
    " %(causation_id)s::text, %(recorded_at)s::timestamptz"
)
ONE_WRITTEN = f"""written AS (
    INSERT INTO commits ({COMMIT_COLUMNS})
    SELECT %(stream)s, %(at)s + 1, %(count)s, %(events)s, {METADATA} FROM agreed
)"""
WRITTEN = f"""written AS (
    INSERT INTO commits ({COMMIT_COLUMNS}) SELECT new.*, {METADATA} FROM {COMMITS}, agreed
)"""
FOLLOWED = f"""followed AS (
    INSERT INTO pending ({PENDING_COLUMNS}) SELECT new.* FROM {PENDING} AS new, agreed
)"""
CONSUMED = """consumed AS (
    DELETE FROM pending USING agreed WHERE stream_id = %(c_stream)s
    AND version = %(c_version)s AND ordinal = %(c_ordinal)s
)"""
USED = f"""used AS (
    INSERT INTO idempotency ({RECORD_COLUMNS})
    SELECT %(i_scope)s::text, %(i_key)s::text, %(i_fingerprint)s::text, %(command_id)s::text,
        %(i_after)s::text, %(i_expires_at)s::timestamptz
    FROM agreed
    ON CONFLICT (scope, key) DO UPDATE SET fingerprint = excluded.fingerprint,
        after = excluded.after, expires_at = excluded.expires_at,
        -- a key that has not expired: null is refused, and all of the statement with it
        command_id = CASE WHEN idempotency.expires_at <= %(recorded_at)s::timestamptz
            THEN excluded.command_id END
), swept AS (
    DELETE FROM idempotency WHERE ctid = ANY(ARRAY(
        SELECT ctid FROM idempotency
        WHERE expires_at <= %(recorded_at)s::timestamptz
        AND (scope, key) <> (%(i_scope)s::text, %(i_key)s::text)
        ORDER BY expires_at LIMIT 10 FOR UPDATE SKIP LOCKED
    ))
)"""


@cache
def _statement(one_head: bool, follows: bool, consumes: bool, is_keyed: bool) -> bytes:
    """The statement for a commit that has these parts: of what it does not have, it says nothing."""
    parts = [STILL_OPEN if consumes else NOTHING_TO_CONSUME]
    parts += [ONE_HEAD, ONE_WRITTEN] if one_head else [HEADS, WRITTEN]
    if follows:
        parts.append(FOLLOWED)
    if consumes:
        parts.append(CONSUMED)
    if is_keyed:
        parts.append(USED)
    verdict = "SELECT NOT EXISTS (SELECT FROM token), ARRAY(SELECT stream_id FROM moved)"
    return f"WITH {', '.join(parts)} {verdict}".encode()


class PostgresEventStore:
    """The tables of the log, in the database at `url`; see `PostgresDatabase` for the options."""

    def __init__(self, url: str, **options: Any) -> None:
        self._database = PostgresDatabase(url, **options)
        self.views = PostgresViews(self._database)

    def load(self, stream_id: str, at: int | None = None, *, fingerprint: str = "") -> LoadedStream:
        """In one statement, and so of one moment."""
        with self._database.connection() as connection:
            rows = connection.execute(
                f"""
                WITH kept AS (
                    SELECT version, state FROM snapshots
                    WHERE stream_id = %(stream)s AND fingerprint = %(print)s AND %(print)s <> ''
                )
                SELECT 0, NULL, version, 0, state, '', '', '', '', NULL,
                    NULL::int, NULL::timestamptz, NULL::bool FROM kept
                UNION ALL SELECT 1, {COMMIT_COLUMNS}, NULL, NULL, NULL FROM commits
                    WHERE stream_id = %(stream)s AND version <= coalesce(%(at)s::bigint, version)
                    AND version > coalesce((SELECT version FROM kept), 0)
                UNION ALL SELECT 2, stream_id, version, ordinal, payload, command_id, '',
                    correlation_id, causation_id, NULL, attempts, due_at, in_order FROM pending
                    WHERE stream_id = %(stream)s AND parked_at IS NULL AND %(at)s::bigint IS NULL
                ORDER BY 1, 3, 4
                """.encode(),
                {"stream": stream_id, "at": at, "print": fingerprint},
            ).fetchall()
        snapshots = [Snapshot(stream_id, row[2], fingerprint, row[4]) for row in rows if not row[0]]
        commits = [StoredCommit(*row[1:10]) for row in rows if row[0] == 1]
        pending = [
            PendingCommand(PendingKey(*row[1:4]), row[5], row[4], row[8], row[7], *row[10:])
            for row in rows
            if row[0] == 2
        ]
        snapshot = snapshots[0] if snapshots else None
        start = snapshot.version if snapshot else 0
        end = commits[-1].version + commits[-1].count - 1 if commits else start
        return LoadedStream(Position(stream_id, end), commits, pending, snapshot)

    def append(self, commit: Commit) -> None:
        try:
            with self._database.connection() as connection:
                statement, values = _append(commit)
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
        return _idempotency_record(found[0]) if found else None

    def pending(self, stream_id: str) -> list[PendingCommand]:
        found = self._database.fetch(
            f"SELECT {PENDING_COLUMNS} FROM pending"
            " WHERE stream_id = %s AND parked_at IS NULL ORDER BY version, ordinal",
            (stream_id,),
        )
        return [_pending_command(row) for row in found]

    def due(self, now: datetime, limit: int = 100) -> list[PendingKey]:
        found = self._database.fetch(
            "SELECT stream_id, version, ordinal FROM pending"
            " WHERE parked_at IS NULL AND due_at <= %s ORDER BY due_at LIMIT %s",
            (now, limit),
        )
        return [PendingKey(*row) for row in found]

    def claim(self, pending: PendingCommand, due_at: datetime) -> bool:
        return self._database.change(
            f"UPDATE pending SET attempts = attempts + 1, due_at = %s WHERE {KEY} AND {AS_GIVEN}",
            (due_at, *_key(pending.key), pending.attempts, pending.due_at),
        )

    def park(self, pending: PendingCommand, at: datetime, error: str) -> bool:
        return self._database.change(
            f"UPDATE pending SET parked_at = %s, error = %s WHERE {KEY} AND {AS_GIVEN}",
            (at, error, *_key(pending.key), pending.attempts, pending.due_at),
        )

    def parked(self, limit: int = 100) -> list[PendingCommand]:
        found = self._database.fetch(
            f"SELECT {PENDING_COLUMNS} FROM pending"
            " WHERE parked_at IS NOT NULL ORDER BY parked_at LIMIT %s",
            (limit,),
        )
        return [_pending_command(row) for row in found]

    def replay(self, key: PendingKey, due_at: datetime) -> bool:
        return self._database.change(
            "UPDATE pending SET attempts = 0, due_at = %s, in_order = false, parked_at = NULL,"
            f" error = '' WHERE {KEY} AND parked_at IS NOT NULL",
            (due_at, *_key(key)),
        )

    def drop(self, key: PendingKey) -> bool:
        return self._database.change(
            f"DELETE FROM pending WHERE {KEY} AND parked_at IS NOT NULL", _key(key)
        )

    def feed(self, checkpoint: str | None = None, limit: int = 1000) -> FeedPage:
        transaction, _, position = (checkpoint or "0:0").partition(":")
        rows = self._database.fetch(
            f"SELECT {COMMIT_COLUMNS}, xid::text, position FROM commits"
            " WHERE (xid, position) > (%s::text::xid8, %s)"
            " AND xid < pg_snapshot_xmin(pg_current_snapshot())"
            " ORDER BY commits.xid, position LIMIT %s",
            (transaction, int(position), limit),
        )
        last = "{}:{}".format(*rows[-1][-2:]) if rows else checkpoint or "0:0"
        return FeedPage([StoredCommit(*row[:-2]) for row in rows], last, len(rows) == limit)

    def end(self) -> str:
        found = self._database.fetch("SELECT pg_snapshot_xmin(pg_current_snapshot())::text")
        return f"{found[0][0]}:0"

    def size(self) -> int:
        count: int = self._database.fetch("SELECT count(*) FROM commits")[0][0]
        return count

    def dump(self) -> Iterator[Stored]:
        with self._database.reading() as connection:
            for statement, made in (
                (f"SELECT {COMMIT_COLUMNS} FROM commits ORDER BY commits.xid, position", _commit),
                (f"SELECT {PENDING_COLUMNS} FROM pending ORDER BY 1, 2, 3", _pending_command),
                (f"SELECT {RECORD_COLUMNS} FROM idempotency ORDER BY 1, 2", _idempotency_record),
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
                        table, columns, row = "commits", COMMIT_COLUMNS, _commit_row(stored)
                    case PendingCommand():
                        table, columns, row = "pending", PENDING_COLUMNS, _pending_row(stored)
                    case IdempotencyRecord():
                        table, columns, row = "idempotency", RECORD_COLUMNS, _record_row(stored)
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
        """Whether this very commit was taken before: its first events stand where it puts them."""
        return any(
            self._database.fetch(
                "SELECT 1 FROM commits WHERE stream_id = %s AND version = %s AND command_id = %s",
                (append.after.stream_id, append.after.version + 1, commit.command_id),
            )
            for append in commit.appends
        )


def _append(commit: Commit) -> tuple[bytes, dict[str, Any]]:
    """The statement, and what to put into it."""
    appends, unchanged = commit.appends, commit.unchanged
    consumes, record = commit.consumes, commit.idempotency
    one_head = len(appends) == 1 and not unchanged
    values: dict[str, Any] = {
        "command_id": commit.command_id,
        "command": commit.command,
        "correlation_id": commit.correlation_id,
        "causation_id": commit.causation_id,
        "recorded_at": commit.recorded_at,
    }
    if one_head:
        (append,) = appends
        values["stream"], values["at"] = append.after.stream_id, append.after.version
        values["becomes"] = append.after.version + append.count
        values["count"], values["events"] = append.count, append.events
    else:
        values["streams"] = [each.after.stream_id for each in appends]
        values["firsts"] = [each.after.version + 1 for each in appends]
        values["counts"] = [each.count for each in appends]
        values["texts"] = [each.events for each in appends]
        values["all"] = values["streams"] + [each.stream_id for each in unchanged]
        ends = [each.version for each in unchanged]
        values["all_at"] = [each.after.version for each in appends] + ends
        values["all_become"] = [each.after.version + each.count for each in appends] + ends
    if commit.follow_ups:
        names = PENDING_COLUMNS.replace("stream_id", "stream").split(", ")
        columns = zip(*map(_pending_row, commit.follow_ups), strict=True)
        values.update((f"p_{name}", list(c)) for name, c in zip(names, columns, strict=True))
    if consumes:
        values["c_stream"], values["c_version"], values["c_ordinal"] = _key(consumes)
    if record:
        given = record.idempotency
        values.update(i_scope=given.scope, i_key=given.key, i_fingerprint=given.fingerprint)
        values.update(i_after=_after(record), i_expires_at=record.expires_at)
    parts = (one_head, bool(commit.follow_ups), consumes is not None, record is not None)
    return _statement(*parts), values


def _commit(row: tuple[Any, ...]) -> StoredCommit:
    return StoredCommit(*row)


def _commit_row(stored: StoredCommit) -> tuple[Any, ...]:
    return msgspec.structs.astuple(stored)


def _pending_row(pending: PendingCommand) -> tuple[Any, ...]:
    return (*_key(pending.key), *msgspec.structs.astuple(pending)[1:])


def _pending_command(row: tuple[Any, ...]) -> PendingCommand:
    return PendingCommand(PendingKey(*row[:3]), *row[3:])


def _record_row(record: IdempotencyRecord) -> tuple[Any, ...]:
    given = msgspec.structs.astuple(record.idempotency)
    return (*given, record.command_id, _after(record), record.expires_at)


def _idempotency_record(row: tuple[Any, ...]) -> IdempotencyRecord:
    after = msgspec.json.decode(row[4], type=tuple[Position, ...])
    return IdempotencyRecord(Idempotency(*row[:3]), row[3], after, row[5])


def _after(record: IdempotencyRecord) -> str:
    return msgspec.json.encode(record.after).decode()


def _key(key: PendingKey) -> tuple[str, int, int]:
    return (key.stream_id, key.version, key.ordinal)


def create(settings: Settings) -> None:
    """Bring the schema to what this service needs, from whatever revision it is at."""
    from alembic import command
    from alembic.config import Config

    url = _url(settings)
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connect"] = lambda: psycopg.connect(url)
    try:
        command.upgrade(config, "head")
    except psycopg.OperationalError as error:
        raise StoreUnavailable(f"Postgres: {' '.join(str(error).split())}") from error


def open_store(settings: Settings) -> EventStore:
    """The store in the database at DATABASE_URL."""
    return PostgresEventStore(_url(settings))


def _url(settings: Settings) -> str:
    if settings.database_url is None:
        raise ConfigurationError("DATABASE_URL: not set, and STORE=postgres needs it")
    return checked_url(settings.database_url.get_secret_value())
