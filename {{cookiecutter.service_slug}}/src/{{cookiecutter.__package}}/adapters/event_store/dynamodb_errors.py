"""What DynamoDB says when it says no, or says nothing."""

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

from ...bus.errors import StoreUnavailable

NOT_NOW = {
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

ROW_REFUSED = {"ConditionalCheckFailedException", "TransactionConflictException"}


@contextmanager
def answering() -> Iterator[None]:
    """Turns the ways in which DynamoDB does not answer, or not now, into `StoreUnavailable`."""
    try:
        yield
    except BotoCoreError as error:
        raise StoreUnavailable(f"DynamoDB: {error}") from error
    except ClientError as error:
        if error.response["Error"]["Code"] in NOT_NOW:
            raise StoreUnavailable(f"DynamoDB: {error}") from error
        raise
    except PynamoDBException as error:
        if isinstance(error.cause, BotoCoreError) or _codes(error) & NOT_NOW:
            raise StoreUnavailable(f"DynamoDB: {error.cause}") from error
        raise


@contextmanager
def refusing() -> Iterator[Event]:
    """Sets its event if the conditional write in it was made; one that was refused passes."""
    taken = Event()
    try:
        yield taken
        taken.set()
    except (PutError, UpdateError, DeleteError) as error:
        if error.cause_response_code not in ROW_REFUSED:
            raise


def _codes(error: PynamoDBException) -> set[str | None]:
    reasons = error.cancellation_reasons if isinstance(error, TransactWriteError) else []
    return {error.cause_response_code, *(reason.code for reason in reasons if reason)}
