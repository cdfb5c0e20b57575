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

COMMIT_COLUMNS = (
    "stream_id, version, count, events, command_id, command, correlation_id, context, recorded_at"
)
PENDING_COLUMNS = (
    "stream_id, version, ordinal,"
    " command_id, payload, context, attempts, due_at, in_order, parked_at, error"
)
RECORD_COLUMNS = "scope, key, fingerprint, command_id, after, expires_at"
AS_GIVEN = "parked_at IS NULL AND attempts = %s AND due_at = %s"
KEY = "stream_id = %s AND version = %s AND ordinal = %s"
RUNNABLE = """
    SELECT stream_id FROM pending AS this
    WHERE parked_at IS NULL AND due_at <= %(now)s AND NOT EXISTS (
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
