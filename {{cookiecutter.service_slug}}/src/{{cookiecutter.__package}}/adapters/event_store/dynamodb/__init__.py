"""The event store in one DynamoDB table: no server to operate, and billing by the request."""

from datetime import timedelta

from ....bus import ConfigurationError, EventStore
from ....config import Settings
from .errors import translating_errors
from .store import DynamoDBEventStore

__all__ = ["DynamoDBEventStore", "create", "open_store"]


def create(settings: Settings) -> None:
    """Create the table at AWS_ENDPOINT_URL, for local use, unless it exists.

    Raises `ConfigurationError` without AWS_ENDPOINT_URL: in production, the deployment creates it.
    """
    if not settings.aws_endpoint_url:
        raise ConfigurationError(
            "AWS_ENDPOINT_URL: not set, and without it the table would be made in AWS itself: "
            "that is for the deployment to do"
        )
    with translating_errors():
        _open(settings).item.create_table(wait=True)


def open_store(settings: Settings) -> EventStore:
    """The store in the table DYNAMODB_TABLE. This sends no request to DynamoDB."""
    return _open(settings)


def _open(settings: Settings) -> DynamoDBEventStore:
    return DynamoDBEventStore(
        settings.dynamodb_table,
        region=settings.aws_region,
        url=settings.aws_endpoint_url,
        sweep=timedelta(hours=settings.sweep_hours),
        due_shards=settings.due_shards,
    )
