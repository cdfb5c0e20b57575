"""Translates DynamoDB's errors and time-outs into the bus's errors."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError, IncompleteReadError
from pynamodb.exceptions import (
    DeleteError,
    PutError,
    PynamoDBException,
    TableDoesNotExist,
    TransactWriteError,
    UpdateError,
)

from ....bus import StoreUnavailable
from .. import CREATE

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

NO_TABLE = f": is DYNAMODB_TABLE right? The deployment makes it; with AWS_ENDPOINT_URL, {CREATE}"

NOT_FOR_THE_LOG = re.compile(r"(?<=//)[^/\s]*@| on request \(\w*\)")
"""Credentials in a URL; and the id of the request, so that the same error has the same text."""

CONDITION_FAILED = {"ConditionalCheckFailedException", "TransactionConflictException"}


@contextmanager
def translating_errors() -> Iterator[None]:
    """Raises `StoreUnavailable` when DynamoDB does not answer, or refuses for the moment."""
    try:
        yield
    except BotoCoreError as error:
        raise _unavailable(error) from error
    except ClientError as error:
        if error.response["Error"]["Code"] in RETRYABLE:
            raise _unavailable(error) from error
        raise
    except TableDoesNotExist as error:
        raise _unavailable(error, NO_TABLE) from error
    except PynamoDBException as error:
        if "ResourceNotFoundException" in _codes(error):
            raise _unavailable(error.cause, NO_TABLE) from error
        if isinstance(error.cause, BotoCoreError) or _codes(error) & RETRYABLE:
            raise _unavailable(error.cause) from error
        raise


def refuse_cut_answer(http_response: Any, **_: Any) -> None:
    """A hook for botocore's event `after-call`. An answer whose connection was cut in the middle is
    no JSON, and botocore would take it for one without content: for an item that is not there."""
    expected, found = http_response.headers.get("Content-Length"), len(http_response.content)
    if expected and int(expected) != found:
        raise IncompleteReadError(actual_bytes=found, expected_bytes=int(expected))


@contextmanager
def conditional_write() -> Iterator[Event]:
    """A write with a condition: the event is set if the write was made, and not set if the
    condition was false."""
    written = Event()
    try:
        yield written
        written.set()
    except (PutError, UpdateError, DeleteError) as error:
        if not _codes(error) & CONDITION_FAILED:
            raise


def _unavailable(cause: Exception | None, cure: str = "") -> StoreUnavailable:
    return StoreUnavailable(f"DynamoDB: {NOT_FOR_THE_LOG.sub('', str(cause))}{cure}")


def _codes(error: PynamoDBException) -> set[str | None]:
    """The codes that DynamoDB answered with. Without an answer there is none: botocore's time-outs
    have a `response`, too, but it is None, which pynamodb does not expect."""
    if not isinstance(error.cause, ClientError):
        return set()
    reasons = error.cancellation_reasons if isinstance(error, TransactWriteError) else []
    return {error.cause_response_code, *(reason.code for reason in reasons if reason)}
