"""The Lambda function of an SQS queue."""

from datetime import timedelta
from typing import Any

import structlog

from ...observability import log
from .. import intake, strict
from .runtime import bus, invocation, traceparent

KEPT = timedelta(days=15)
"""How long the key of a message is remembered. SQS keeps a message for at most 14 days, and may
deliver it again on the last of them."""


def queue_handler(event: Any, context: Any) -> dict[str, Any]:
    """Take the messages of an SQS queue, each a command by name with its fields (see `intake`). A
    message without an `idempotency_key` is identified by its message id. So it has no second effect
    if it is delivered again.

    Returns `batchItemFailures` (a partial batch response): the ids of those that were refused or
    failed. SQS delivers them again, and in the end puts them into the dead-letter queue.
    """
    with invocation(context):
        records = event.get("Records") if isinstance(event, dict) else None
        if not isinstance(records, list):
            log.logger.error("event refused", error="it has no Records")
            return {"batchItemFailures": []}
        failed = [record for record in records if not _is_taken(record)]
        return {"batchItemFailures": [{"itemIdentifier": _id(record)} for record in failed]}


def _is_taken(record: Any) -> bool:
    """Whether this message had its effect, now or before. If not, one line says why."""
    with structlog.contextvars.bound_contextvars(queue_message_id=_id(record)):
        try:
            _take(record)
        except intake.Refused as refused:
            log.logger.warning("message refused", reason=str(refused))
            return False
        except Exception as error:
            log.log_error(error)
            return False
        return True


def _take(record: Any) -> None:
    match record:
        case {"messageId": str(key), "body": str(text)}:
            message = intake.parse(text)
        case _:
            raise intake.Refused("it is no message of a queue: it has no messageId, or no body")
    queue = record.get("eventSourceARN") or strict.ANONYMOUS
    intake.take(
        bus,
        message,
        door="queue",
        actor=str(queue),
        key=key,
        kept=KEPT,
        trace=_trace(record),
    )


def _trace(record: dict[str, Any]) -> str | None:
    """The X-Ray trace that the message was sent in, if it was sent in one."""
    match record:
        case {"attributes": {"AWSTraceHeader": str(header)}}:
            return traceparent(header)
    return None


def _id(record: Any) -> str:
    return str(record.get("messageId", "")) if isinstance(record, dict) else ""
