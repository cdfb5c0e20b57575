"""The Lambda function of the table's stream."""

from typing import Any

from ...bus import ConfigurationError, PushedFeed, StoredCommit
from ...observability import log
from .runtime import bus, invocation, run_due


def stream_handler(event: Any, context: Any) -> dict[str, Any]:
    """Bring the read models up to what the stream brings, and wake the worker: what is due runs.

    Returns `batchItemFailures` (a partial batch response): the records that could not be handled at
    all, each by its sequence number. Commands that fail stay in the store, for later.
    """
    with invocation(context):
        records = event.get("Records") if isinstance(event, dict) else None
        if not isinstance(records, list):
            log.logger.error("event refused", error="it has no Records")
            return {"batchItemFailures": []}
        failed = [] if _is_projected(records) else [r for r in records if not _is_projected([r])]
        try:
            run_due(context)
        except Exception as error:
            log.log_error(error)
        return {"batchItemFailures": [{"itemIdentifier": _number(record)} for record in failed]}


def _is_projected(records: list[Any]) -> bool:
    """Whether all read models show these records. A record that comes again changes nothing."""
    try:
        bus.project(_commits(records))
    except Exception as error:
        if len(records) == 1:
            log.log_error(error, log.logger.bind(sequence_number=_number(records[0])))
        return len(records) == 0
    return True


def _commits(records: list[Any]) -> list[StoredCommit]:
    if not isinstance(bus.store, PushedFeed):
        raise ConfigurationError("the event store pushes no records: it has no `commits_in`")
    return bus.store.commits_in(records)


def _number(record: Any) -> str:
    try:
        return str(record["dynamodb"]["SequenceNumber"])
    except (KeyError, TypeError):
        return ""
