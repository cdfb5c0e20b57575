"""The AWS Lambda functions of this service, by the names that template.yaml gives.

`handler`: HTTP API events and direct invocation; `queue_handler`: batches of an SQS queue;
`stream_handler`: batches of the table's stream; `worker_handler`: a schedule. Each function of the
deployment imports this module, and only what it needs of the rest.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .. import log
from ..adapters.event_store.dynamodb import DynamoDBEventStore
from ..adapters.event_store.dynamodb_feed import commits_of
from ..bus import StoredCommit
from .aws_runtime import bus, invocation, run_due

if TYPE_CHECKING:
    from .aws_http import handler, queue_handler

__all__ = ["handler", "queue_handler", "stream_handler", "worker_handler"]


def __getattr__(name: str) -> Any:
    """The functions that speak HTTP, and with them FastAPI, are loaded if Lambda asks for them."""
    if name not in ("handler", "queue_handler"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(".aws_http", __package__), name)


def stream_handler(event: Any, context: Any) -> dict[str, Any]:
    """Bring the read models up to what the stream brings, and wake the worker: what is due runs.

    Returns `batchItemFailures` (a partial batch response): the records that could not be handled at
    all, each by its sequence number. What fails of the commands stays in the store, for later.
    """
    with invocation(context):
        records = event.get("Records") if isinstance(event, dict) else None
        if not isinstance(records, list):
            log.logger.error("event refused", error="it has no Records")
            return {"batchItemFailures": []}
        failed = [] if _is_received(records) else [r for r in records if not _is_received([r])]
        try:
            run_due(context)
        except Exception as error:
            log.log_error(error)
        return {"batchItemFailures": [{"itemIdentifier": _number(record)} for record in failed]}


def worker_handler(_event: Any, context: Any) -> dict[str, Any]:
    """Run the commands that are due: those left behind by a stop or a fault, and the scheduled ones.

    Returns how many were `attempted`. Raises `StoreUnavailable`.
    """
    with invocation(context):
        return {"attempted": run_due(context)}


def _is_received(records: list[Any]) -> bool:
    """Whether all read models have seen these records. Seeing one again changes nothing."""
    try:
        commits = _commits(records)
        for projector in bus.projectors.values():
            projector.receive(commits)
    except Exception as error:
        if len(records) == 1:
            log.log_error(error, log.logger.bind(sequence_number=_number(records[0])))
        return len(records) == 0
    return True


def _commits(records: list[Any]) -> list[StoredCommit]:
    store = bus.store
    assert isinstance(store, DynamoDBEventStore)  # noqa: S101 - for the type checker
    return commits_of(store.item, records)


def _number(record: Any) -> str:
    try:
        return str(record["dynamodb"]["SequenceNumber"])
    except (KeyError, TypeError):
        return ""
