"""The rows of the Postgres tables: which columns they have, and how values become rows and back."""

from typing import Any

import msgspec

from ....bus import (
    Context,
    Idempotency,
    IdempotencyRecord,
    PendingCommand,
    PendingKey,
    Position,
    StoredCommit,
)
from .. import PENDING_READ

COMMIT_COLUMNS = (
    "stream_id, version, count, events, command_id, command, correlation_id, context, recorded_at"
)
PENDING_COLUMNS = (
    "stream_id, version, ordinal,"
    " command_id, payload, context, attempts, due_at, in_order, parked_at, error"
)
RECORD_COLUMNS = "scope, key, fingerprint, command_id, after, expires_at"
LOAD = f"""
    WITH kept AS (
        SELECT version, state FROM snapshots
        WHERE stream_id = %(stream)s AND fingerprint = %(print)s AND %(print)s <> ''
    )
    SELECT 0, '', max(version + count - 1), 0, '', string_agg(events, chr(30)), '',
        NULL::int, NULL::timestamptz, NULL::bool, NULL::timestamptz, ''
    FROM (
        SELECT version, count, events FROM commits
        WHERE stream_id = %(stream)s AND version <= coalesce(%(at)s::bigint, version)
        AND version > coalesce((SELECT version FROM kept), 0)
        ORDER BY version LIMIT (SELECT {2**63 - 1})
    ) AS tail
    UNION ALL SELECT 1, '', version, 0, '', state, '', NULL, NULL, NULL, NULL, '' FROM kept
    UNION ALL (
        SELECT 2, {PENDING_COLUMNS} FROM pending
        WHERE stream_id = %(stream)s AND %(at)s::bigint IS NULL
        ORDER BY version, ordinal LIMIT (SELECT {PENDING_READ})
    )
""".encode()
"""One statement, so everything is read as of one moment. All events come as one text, because
fetching a row for each commit would take most of the time. The separator is U+001E, which no JSON
text contains (RFC 7464).

Nothing is sorted, because the sort of a long stream would go to the disk: both tables are read in
the order of their primary keys. The planner does not compute the LIMIT of a subquery. It then plans
for a tenth of the rows, and prefers an index in the right order to a sort. The rows of the answer
come in any order, because a sort of them would move the text of all events."""
AS_GIVEN = "parked_at IS NULL AND attempts = %s AND due_at = %s"
KEY = "stream_id = %s AND version = %s AND ordinal = %s"
EARLIER = """
    SELECT 1 FROM pending WHERE stream_id = %s AND (version, ordinal) < (%s, %s)
    AND parked_at IS NULL AND in_order LIMIT 1
"""
RUNNABLE = """
    SELECT stream_id FROM pending AS this
    WHERE parked_at IS NULL AND due_at <= %(now)s AND (
        %(part)s::int IS NULL
        OR get_byte(sha256(convert_to(stream_id, 'UTF8')), 0) %% %(parts)s = %(part)s
    ) AND NOT EXISTS (
        SELECT 1 FROM pending AS earlier
        WHERE earlier.stream_id = this.stream_id
        AND (earlier.version, earlier.ordinal) < (this.version, this.ordinal)
        AND (earlier.parked_at IS NULL) IS TRUE AND earlier.in_order = this.in_order
        AND (earlier.in_order OR earlier.due_at <= %(now)s) OFFSET 0
    )
    ORDER BY due_at {} LIMIT %(rows)s
"""
"""The due commands that no earlier one of their kind stands before: of a stream, the first in-order
one, and the first out-of-order one that is due. Nothing but these two can be of one stream, so
twice as many rows as streams that are wanted suffice.

Without statistics of a table that has just grown, the planner would join it with itself, or combine
both indexes for each row. OFFSET 0 forbids the first, IS TRUE the second. So each row on the way
costs one look into the primary key."""


def commit_row(stored: StoredCommit) -> tuple[Any, ...]:
    """The column values of a stored commit."""
    return (
        stored.stream_id,
        stored.version,
        stored.count,
        stored.events,
        stored.command_id,
        stored.command,
        stored.context.correlation_id,
        stored.context.text(),
        stored.recorded_at,
    )


def stored_commit(row: tuple[Any, ...]) -> StoredCommit:
    """The inverse of `commit_row`. Further columns are ignored."""
    return StoredCommit(*(*row[:6], Context.parse(row[7]), row[8]))


def pending_row(pending: PendingCommand) -> tuple[Any, ...]:
    """The column values of a pending command."""
    return (
        *key_values(pending.key),
        pending.command_id,
        pending.payload,
        pending.context.text(),
        pending.attempts,
        pending.due_at,
        pending.in_order,
        pending.parked_at,
        pending.error,
    )


def pending_command(row: tuple[Any, ...]) -> PendingCommand:
    """The inverse of `pending_row`."""
    return PendingCommand(PendingKey(*row[:3]), row[3], row[4], Context.parse(row[5]), *row[6:])


def record_row(record: IdempotencyRecord) -> tuple[Any, ...]:
    """The column values of an idempotency record."""
    given = record.idempotency
    return (
        given.scope,
        given.key,
        given.fingerprint,
        record.command_id,
        positions(record),
        record.expires_at,
    )


def idempotency_record(row: tuple[Any, ...]) -> IdempotencyRecord:
    """The inverse of `record_row`."""
    after = msgspec.json.decode(row[4], type=tuple[Position, ...])
    return IdempotencyRecord(Idempotency(*row[:3]), row[3], after, row[5])


def positions(record: IdempotencyRecord) -> str:
    """The positions after which the commit of an idempotency key begins, as JSON."""
    return msgspec.json.encode(record.after).decode()


def key_values(key: PendingKey) -> tuple[str, int, int]:
    """The values for the placeholders of `KEY`."""
    return (key.stream_id, key.version, key.ordinal)
