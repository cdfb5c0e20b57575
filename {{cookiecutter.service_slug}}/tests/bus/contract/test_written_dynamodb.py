"""What any released bus has written to DynamoDB, this one loads: every item of the table."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import msgspec
import pytest

from {{ cookiecutter.__package }}.adapters.event_store.dynamodb import (
    DynamoDBEventStore,
)
from {{ cookiecutter.__package }}.adapters.event_store.memory import MemoryEventStore
from {{ cookiecutter.__package }}.bus import PendingCommand, Stored
from {{ cookiecutter.__package }}.entrypoints.cli import transfer

from ...support.moto_server import REGION, moto_server
from ..support import written

NAME = "dynamodb.json"
tables = count(1)
older = pytest.mark.parametrize("folder", written.FOLDERS, ids=lambda each: each.name)


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with moto_server() as url:
        yield url


@pytest.fixture
def store(url: str) -> Iterator[DynamoDBEventStore]:
    with opened(url) as store:
        yield store


@older
def test_its_items_are_loaded(folder: Path, store: DynamoDBEventStore) -> None:
    for item in json.loads((folder / NAME).read_text("utf-8")):
        store._connection.client.put_item(TableName=name_of(store), Item=item)
    memory = MemoryEventStore()
    transfer.take_in(memory, folder / "export.jsonl")
    assert sorted(map(repr, store.dump())) == sorted(map(repr, map(as_kept, memory.dump())))
    written.assert_caches_as_they_were(store)
    written.assert_as_it_was(store)


@older
def test_an_export_is_taken_in(folder: Path, store: DynamoDBEventStore) -> None:
    transfer.take_in(store, folder / "export.jsonl")
    written.assert_as_it_was(store)


def test_what_is_written_now_is_the_newest_of_them(store: DynamoDBEventStore) -> None:
    written.play(store)
    written.assert_kept(NAME, items(store), __name__)


@contextmanager
def opened(url: str) -> Iterator[DynamoDBEventStore]:
    store = DynamoDBEventStore(f"written-{next(tables)}", region=REGION, url=url)
    store.item.create_table(wait=True)
    yield store
    store.close()


def as_kept(stored: Stored) -> Stored:
    """A dead letter's due time has made way for the time it was parked."""
    if isinstance(stored, PendingCommand) and stored.parked_at:
        return msgspec.structs.replace(stored, due_at=stored.parked_at)
    return stored


def name_of(store: DynamoDBEventStore) -> str:
    return str(store.item.describe_table()["TableName"])


def items(store: DynamoDBEventStore) -> str:
    """All that is in the table, as DynamoDB's protocol has it, an item a line."""
    found = store._connection.client.scan(TableName=name_of(store))["Items"]
    for item in found:
        if item["sort"]["S"].endswith("#snapshot"):
            item["expires"]["N"] = "4102444800"  # counted from the real now
    lines = sorted(json.dumps(item, ensure_ascii=False, sort_keys=True) for item in found)
    return "[\n" + ",\n".join(lines) + "\n]\n"


def main() -> None:
    with moto_server() as url, opened(url) as store:
        written.play(store)
        written.keep(NAME, items(store))


if __name__ == "__main__":
    main()
