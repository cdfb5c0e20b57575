"""Translates DynamoDB's errors and time-outs into the bus's errors."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event

from botocore.exceptions import BotoCoreError, ClientError
from pynamodb.exceptions import (
    DeleteError,
    PutError,
    PynamoDBException,
    TransactWriteError,
    UpdateError,
)

from ....bus import StoreUnavailable

RETRYABLE = {
    "InternalServerError",
    "ItemCollectionSizeLimitExceededException",
    "LimitExceededException",
    "ProvisionedThroughputExceeded",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "RequestTimeout",
    "ResourceNotFoundException",
    "ServiceUnavailable",
    "ThrottlingError",
    "ThrottlingException",
    "TransactionInProgressException",
}
"""Error codes, of a request or of a part of a transaction, after which a later try may succeed."""

CONDITION_FAILED = {"ConditionalCheckFailedException", "TransactionConflictException"}


@contextmanager
def translating_errors() -> Iterator[None]:
    """Raises `StoreUnavailable` when DynamoDB does not answer, or refuses for the moment."""
    try:
        yield
    except BotoCoreError as error:
        raise StoreUnavailable(f"DynamoDB: {error}") from error
    except ClientError as error:
        if error.response["Error"]["Code"] in RETRYABLE:
            raise StoreUnavailable(f"DynamoDB: {error}") from error
        raise
    except PynamoDBException as error:
        if isinstance(error.cause, BotoCoreError) or _codes(error) & RETRYABLE:
            raise StoreUnavailable(f"DynamoDB: {error.cause}") from error
        raise


@contextmanager
def conditional_write() -> Iterator[Event]:
    """A write with a condition: the event is set if the write was made, and not set if the
    condition was false."""
    written = Event()
    try:
        yield written
        written.set()
    except (PutError, UpdateError, DeleteError) as error:
        if error.cause_response_code not in CONDITION_FAILED:
            raise


def _codes(error: PynamoDBException) -> set[str | None]:
    reasons = error.cancellation_reasons if isinstance(error, TransactWriteError) else []
    return {error.cause_response_code, *(reason.code for reason in reasons if reason)}
