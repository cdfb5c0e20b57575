"""The rows of the SQLite tables: which columns they have, and how values become rows and back."""

from datetime import datetime
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
from .. import utc_text

COMMIT_COLUMNS = (
    "stream_id, version, count, events, command_id, command, correlation_id, context, recorded_at"
)
PENDING_COLUMNS = (
    "stream_id, version, ordinal,"
    " command_id, payload, context, attempts, due_at, in_order, parked_at, error"
)
RECORD_COLUMNS = "scope, key, fingerprint, command_id, after, expires_at"
AS_GIVEN = "parked_at IS NULL AND attempts = ? AND due_at = ?"
KEY = "stream_id = ? AND version = ? AND ordinal = ?"
EARLIER = """
    SELECT 1 FROM pending WHERE stream_id = ? AND (version, ordinal) < (?, ?)
    AND parked_at IS NULL AND in_order LIMIT 1
"""
RUNNABLE = """
    SELECT stream_id FROM pending AS this
    WHERE parked_at IS NULL AND due_at <= :now
    AND (:part IS NULL OR part_of(stream_id) = :part) AND NOT EXISTS (
        SELECT 1 FROM pending AS earlier
        WHERE earlier.stream_id = this.stream_id
        AND (earlier.version, earlier.ordinal) < (this.version, this.ordinal)
        AND earlier.parked_at IS NULL AND earlier.in_order = this.in_order
        AND (earlier.in_order OR earlier.due_at <= :now)
    )
    ORDER BY due_at {} LIMIT :rows
"""
"""The due commands that no earlier one of their kind stands before: of a stream, the first in-order
one, and the first out-of-order one that is due. Nothing but these two can be of one stream, so
twice as many rows as streams that are wanted suffice."""


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
        utc_text(stored.recorded_at),
    )


def stored_commit(row: tuple[Any, ...]) -> StoredCommit:
    """The inverse of `commit_row`. Further columns are ignored."""
    return StoredCommit(*(*row[:6], Context.parse(row[7]), datetime.fromisoformat(row[8])))


def pending_row(pending: PendingCommand) -> tuple[Any, ...]:
    """The column values of a pending command."""
    key = pending.key
    return (
        key.stream_id,
        key.version,
        key.ordinal,
        pending.command_id,
        pending.payload,
        pending.context.text(),
        pending.attempts,
        utc_text(pending.due_at),
        pending.in_order,
        pending.parked_at and utc_text(pending.parked_at),
        pending.error,
    )


def pending_command(row: tuple[Any, ...]) -> PendingCommand:
    """The inverse of `pending_row`."""
    command_id, payload, context, attempts, due_at, in_order, parked_at, error = row[3:]
    return PendingCommand(
        PendingKey(*row[:3]),
        command_id,
        payload,
        Context.parse(context),
        attempts,
        datetime.fromisoformat(due_at),
        bool(in_order),
        datetime.fromisoformat(parked_at) if parked_at else None,
        error,
    )


def record_row(record: IdempotencyRecord) -> tuple[Any, ...]:
    """The column values of an idempotency record."""
    given, after = record.idempotency, msgspec.json.encode(record.after).decode()
    return (
        given.scope,
        given.key,
        given.fingerprint,
        record.command_id,
        after,
        utc_text(record.expires_at),
    )


def idempotency_record(row: tuple[Any, ...]) -> IdempotencyRecord:
    """The inverse of `record_row`."""
    after = msgspec.json.decode(row[4], type=tuple[Position, ...])
    return IdempotencyRecord(Idempotency(*row[:3]), row[3], after, datetime.fromisoformat(row[5]))


def key_values(key: PendingKey) -> tuple[str, int, int]:
    """The values for the placeholders of `KEY`."""
    return (key.stream_id, key.version, key.ordinal)


def given_values(pending: PendingCommand) -> tuple[int, str]:
    """The values for the placeholders of `AS_GIVEN`."""
    return (pending.attempts, utc_text(pending.due_at))
