"""The contract suite on DynamoDB, as moto's server plays it."""

from collections.abc import Iterator
from itertools import count

import pytest

from {{ cookiecutter.__package }}.adapters.event_store import dynamodb
from {{ cookiecutter.__package }}.adapters.event_store.dynamodb import (
    table,
)
from {{ cookiecutter.__package }}.bus import EventStore, PendingCommand
from {{ cookiecutter.__package }}.config import Settings

from ...support.moto_server import REGION, moto_server
from .context_contract import ContextContract
from .event_store_contract import EventStoreContract
from .log_contract import LogContract

tables = count(1)


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with moto_server() as url:
        yield url


class OnMoto:
    workers = 2  # moto takes a while for each

    @pytest.fixture
    def store(self, url: str) -> Iterator[EventStore]:
        settings = Settings(
            store="dynamodb",
            dynamodb_table=f"events-{next(tables)}",
            aws_endpoint_url=url,
            aws_region=REGION,
        )
        store = dynamodb.open_store(settings)
        assert isinstance(store, dynamodb.DynamoDBEventStore)
        store.item.create_table(wait=True)
        yield store
        store.close()

    def put(self, store: EventStore, rows: list[PendingCommand]) -> None:
        """Twenty-five in each request: one after another, `restore` takes half a minute for a
        thousand of them."""
        assert isinstance(store, dynamodb.DynamoDBEventStore)
        with store.item.batch_write() as batch:
            for row in rows:
                batch.save(table.pending_item(store.item, row))


class TestDynamoDBLog(OnMoto, LogContract, ContextContract):
    """The core of the contract: moto is slow, and all of it takes a minute."""


@pytest.mark.slow
class TestDynamoDBEventStore(OnMoto, EventStoreContract):
    """All of it."""
