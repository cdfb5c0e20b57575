"""The SQL statement of an append: one statement, with only the parts that the commit needs.

Optimistic concurrency check: it locks the pending command that the commit consumes and the heads of
all its streams, in the order of their ids, and writes only if all are as expected.
"""

from functools import cache
from typing import Any

from ....bus import Commit
from .rows import (
    COMMIT_COLUMNS,
    PENDING_COLUMNS,
    RECORD_COLUMNS,
    key_values,
    pending_row,
    positions,
)

COMMITS = (
    "unnest(%(streams)s::text[], %(firsts)s::bigint[], %(counts)s::int[], %(texts)s::text[])"
    " AS new (stream_id, version, count, events)"
)
PENDING = (
    "unnest(%(p_stream)s::text[], %(p_version)s::bigint[], %(p_ordinal)s::int[],"
    " %(p_command_id)s::text[], %(p_payload)s::text[], %(p_context)s::text[],"
    " %(p_attempts)s::int[], %(p_due_at)s::timestamptz[],"
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
), advanced AS (
    INSERT INTO streams (stream_id, version)
    SELECT stream_id, becomes FROM expected, agreed WHERE becomes > expected.version
    ORDER BY stream_id
    ON CONFLICT (stream_id) DO UPDATE SET version = excluded.version
), absent AS (
    -- a stream that must stay absent has no row to lock: this one conflicts with its creation
    INSERT INTO streams (stream_id, version)
    SELECT stream_id, 0 FROM expected, agreed
    WHERE becomes = 0 AND stream_id NOT IN (SELECT stream_id FROM heads)
)"""
METADATA = (
    "%(command_id)s::text, %(command)s::text, %(correlation_id)s::text,"
    " %(context)s::text, %(recorded_at)s::timestamptz"
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
        -- null if the key has not expired: the column is NOT NULL, so the whole statement fails
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
    """The statement for a commit that has these parts, and no others."""
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


def append_statement(commit: Commit) -> tuple[bytes, dict[str, Any]]:
    """The statement, and the values of its parameters."""
    appends, unchanged = commit.appends, commit.unchanged
    consumes, record = commit.consumes, commit.idempotency
    one_head = len(appends) == 1 and not unchanged
    values: dict[str, Any] = {
        "command_id": commit.command_id,
        "command": commit.command,
        "correlation_id": commit.context.correlation_id,
        "context": commit.context.text(),
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
        columns = zip(*map(pending_row, commit.follow_ups), strict=True)
        values.update((f"p_{name}", list(c)) for name, c in zip(names, columns, strict=True))
    if consumes:
        values["c_stream"], values["c_version"], values["c_ordinal"] = key_values(consumes)
    if record:
        given = record.idempotency
        values.update(i_scope=given.scope, i_key=given.key, i_fingerprint=given.fingerprint)
        values.update(i_after=positions(record), i_expires_at=record.expires_at)
    parts = (one_head, bool(commit.follow_ups), consumes is not None, record is not None)
    return _statement(*parts), values
