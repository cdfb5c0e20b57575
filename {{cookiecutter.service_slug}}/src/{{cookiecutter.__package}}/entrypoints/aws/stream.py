"""The Lambda function of the table's stream."""

from collections.abc import Sequence
from typing import Any

from ...bus import ConfigurationError, StoredCommit, StoreUnavailable
from ...observability import log
from .runtime import bus, invocation, run_due

SHARE, WITHIN_SECONDS = 0.2, 10.0
"""The share of ten seconds, less the margin, in which a batch runs what is due: one second. The
next batch of the shard waits for that long, and so do the read models."""

if not hasattr(bus.store, "commits_in"):  # see `PushedFeed`; a wrapped store may have it, too
    raise ConfigurationError("the event store pushes no records: it has no `commits_in`")


def stream_handler(event: Any, context: Any) -> dict[str, Any]:
    """Bring the read models up to what the stream brings. Then run what is due, for about a second:
    follow-ups that nobody runs begin at once. A backlog, and what may take longer than ten seconds,
    is the worker's, which a schedule invokes every minute.

    Returns `batchItemFailures` (a partial batch response): the records that could not be handled at
    all, each by its sequence number. Commands that fail stay in the store, for later.
    """
    with invocation(context):
        records = event.get("Records") if isinstance(event, dict) else None
        if not isinstance(records, list):
            log.logger.error("event refused", error="it has no Records")
            return {"batchItemFailures": []}
        failed = _project(records)
        try:
            run_due(context, SHARE, WITHIN_SECONDS)
        except Exception as error:
            log.log_error(error)
        return {"batchItemFailures": [{"itemIdentifier": _number(record)} for record in failed]}


def _project(records: list[Any]) -> list[Any]:
    """Let all read models show these records. Returns those that could not be handled: if together
    they cannot be, each is tried alone. A record that comes again changes nothing."""
    try:
        bus.project(_commits_in(records))
    except StoreUnavailable as error:  # each alone would wait for it, too
        log.log_error(error)
        return records
    except Exception as error:
        if len(records) != 1:
            return [each for record in records for each in _project([record])]
        log.log_error(error, log.logger.bind(sequence_number=_number(records[0])))
        return records
    return []


def _commits_in(records: Sequence[Any]) -> list[StoredCommit]:
    store: Any = bus.store
    commits: list[StoredCommit] = store.commits_in(records)
    return commits


def _number(record: Any) -> str:
    try:
        return str(record["dynamodb"]["SequenceNumber"])
    except (KeyError, TypeError):
        return ""
