"""The Lambda function of an SQS queue."""

from typing import Any

from ...observability import log
from .. import intake
from .runtime import bus, invocation


def queue_handler(event: Any, context: Any) -> dict[str, Any]:
    """Take the messages of an SQS queue, each a command by name with its fields (see `intake`). The
    message id is the idempotency key: delivered again, a message has no second effect.

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
    """Whether this message had its effect, now or before."""
    line = log.logger.bind(queue_message_id=_id(record))
    try:
        message = intake.parse(record["body"] if isinstance(record, dict) else "")
        queue = str(record.get("eventSourceARN"))
        intake.take(bus, message, door="queue", actor=queue, key=_id(record))
    except (intake.Refused, KeyError) as error:
        line.warning("message refused", reason=str(error))
        return False
    except Exception as error:
        log.log_error(error, line)
        return False
    return True


def _id(record: Any) -> str:
    return str(record.get("messageId")) if isinstance(record, dict) else ""
