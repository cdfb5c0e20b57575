"""Every call of the DynamoDB store, while connections are cut and DynamoDB answers with errors."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest

from {{ cookiecutter.__package }}.adapters.event_store.dynamodb import (
    DynamoDBEventStore,
    table,
)
from {{ cookiecutter.__package }}.bus import (
    DuplicateCommand,
    Idempotency,
    IdempotencyRecord,
    Position,
    Snapshot,
    StoredCommit,
    StoreUnavailable,
    ViewRow,
)

from ...support.moto_server import REGION, moto_server
from ..support.commits import NOW, append, commit, follow_up
from ..support.wire_faults import Wire, WireFault, wire

pytestmark = pytest.mark.slow

Call = Callable[[DynamoDBEventStore], Any]

TABLE = "faults"
LATER = NOW + timedelta(minutes=1)
PENDING = follow_up("s/1", 1)
FIRST = commit(append(Position.start("s/1")), follow_ups=(PENDING,), command_id="first")
PLAIN = commit(append(Position.start("s/1")), command_id="plain")
KEPT = IdempotencyRecord(
    Idempotency("scope", "key", "print"), "all", (Position.start("s/1"),), LATER
)
ALL = commit(
    append(Position.start("s/1")),
    append(Position.start("s/2")),
    follow_ups=(PENDING,),
    unchanged=(Position.start("s/3"),),
    idempotency=KEPT,
    command_id="all",
)
CONSUMING = commit(append(Position("s/1", 1)), consumes=PENDING.key, command_id="follow-up 1.0")
ROW = ViewRow("k", 1, "label", "sort", "{}")


def nothing(_store: DynamoDBEventStore) -> None:
    """The table is empty."""


def one_open(store: DynamoDBEventStore) -> None:
    store.append(FIRST)


def one_parked(store: DynamoDBEventStore) -> None:
    store.append(FIRST)
    store.park(PENDING, NOW, "why")


def one_row(store: DynamoDBEventStore) -> None:
    store.views.put("v", [ROW])


def one_cell(store: DynamoDBEventStore) -> None:
    store.views.set_cell("c", "a", None)


WRITES: dict[str, tuple[Call, Call]] = {
    "append": (nothing, lambda store: store.append(PLAIN)),
    "append in a transaction": (nothing, lambda store: store.append(ALL)),
    "append of a follow-up": (one_open, lambda store: store.append(CONSUMING)),
    "save_snapshot": (nothing, lambda store: store.save_snapshot(Snapshot("s/1", 1, "f", "{}"))),
    "claim": (one_open, lambda store: store.claim(PENDING, LATER)),
    "park": (one_open, lambda store: store.park(PENDING, NOW, "why")),
    "replay": (one_parked, lambda store: store.replay(PENDING.key, LATER)),
    "drop": (one_parked, lambda store: store.drop(PENDING.key)),
    "restore": (nothing, lambda store: store.restore(list(StoredCommit.all_of(PLAIN)))),
    "views.put": (nothing, lambda store: store.views.put("v", [ROW])),
    "views.clear": (one_row, lambda store: store.views.clear("v")),
    "views.set_cell": (nothing, lambda store: store.views.set_cell("c", "a", None)),
    "views.set_cell again": (one_cell, lambda store: store.views.set_cell("c", "b", "a")),
}
READS: dict[str, Call] = {
    "load": lambda store: store.load("s/1"),
    "commits": lambda store: store.commits("s/1"),
    "handled": lambda store: store.handled("scope", "key", NOW),
    "pending": lambda store: store.pending("s/1"),
    "is_held_back": lambda store: store.is_held_back(PENDING.key),
    "due": lambda store: store.due(LATER),
    "waiting": lambda store: store.waiting(LATER),
    "parked": lambda store: store.parked(),
    "feed": lambda store: store.feed(),
    "visible": lambda store: store.visible(),
    "feed of the stream": lambda store: store.feed(store.feed().checkpoint),
    "end": lambda store: store.end(),
    "size": lambda store: store.size(),
    "correlated": lambda store: store.correlated("c", lambda *_: None),
    "dump": lambda store: list(store.dump()),
    "ping": lambda store: store.ping(),
    "views.rows": lambda store: store.views.rows("v", ["k"]),
    "views.find": lambda store: store.views.find("v", ["label"], 10),
    "views.cell": lambda store: store.views.cell("c"),
}
NO_CALLS = {"close", "commits_in", "holders", "item", "views", "views.item"}
"""Public names that send nothing to DynamoDB."""


@pytest.fixture(scope="module")
def moto() -> Iterator[str]:
    with moto_server() as url:
        yield url


@pytest.fixture(scope="module")
def between(moto: str) -> Iterator[Wire]:
    with wire(moto) as between:
        yield between


@pytest.fixture(scope="module")
def store(between: Wire) -> Iterator[DynamoDBEventStore]:
    """Without retries of botocore, so that each fault reaches the store."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(table, "RETRIES", 0)
        patch.setattr(table.Item.Meta, "max_retry_attempts", 0)
        store = DynamoDBEventStore(TABLE, region=REGION, url=between.url)
        store.item.create_table(wait=True)
        yield store
        store.close()


def items(store: DynamoDBEventStore) -> list[dict[str, Any]]:
    """All that is stored, apart from the time to live, which depends on the clock."""
    found = store._connection.client.scan(TableName=TABLE, ConsistentRead=True)["Items"]
    stored = [{name: item[name] for name in item if name != "expires"} for item in found]
    return sorted(stored, key=lambda item: (item["stream_id"]["S"], item["sort"]["S"]))


def delete(store: DynamoDBEventStore, stored: list[dict[str, Any]]) -> None:
    keys = [{name: item[name] for name in ("stream_id", "sort")} for item in stored]
    if keys:
        deletes = [{"DeleteRequest": {"Key": key}} for key in keys]
        store._connection.client.batch_write_item(RequestItems={TABLE: deletes})


def test_every_call_of_the_store_is_tried(store: DynamoDBEventStore) -> None:
    calls = {name for name in dir(store) if not name.startswith("_")} - NO_CALLS
    calls |= {f"views.{name}" for name in dir(store.views) if not name.startswith("_")} - NO_CALLS
    assert {name.partition(" ")[0] for name in (*WRITES, *READS)} == calls


@pytest.mark.parametrize("name", WRITES)
def test_a_write_that_fails_on_the_wire_is_whole_or_absent_and_repeated_has_one_effect(
    store: DynamoDBEventStore, between: Wire, name: str
) -> None:
    prepare, call = WRITES[name]
    delete(store, items(store))
    prepare(store)
    before, first = items(store), between.requests
    call(store)
    count = between.requests - first
    done = items(store)
    assert before != done
    for fault in WireFault:
        for skip in range(count):
            delete(store, done)
            prepare(store)
            between.fail(fault, skip)
            with pytest.raises(StoreUnavailable):
                call(store)
            executed = fault.executed and skip == count - 1
            assert items(store) == (done if executed else before), (fault.text, skip)
            with suppress(DuplicateCommand):
                call(store)
            assert items(store) == done, (fault.text, skip)


@pytest.fixture(scope="module")
def filled(store: DynamoDBEventStore) -> DynamoDBEventStore:
    delete(store, items(store))
    store.append(ALL)
    store.views.put("v", [ROW])
    store.views.set_cell("c", "a", None)
    return store


@pytest.mark.parametrize("name", READS)
def test_a_read_that_fails_on_the_wire_says_so_and_guesses_nothing(
    filled: DynamoDBEventStore, between: Wire, name: str
) -> None:
    call = READS[name]
    first = between.requests
    call(filled)
    count = between.requests - first
    for number, fault in enumerate(WireFault):
        between.fail(fault, number % count)
        with pytest.raises(StoreUnavailable):
            call(filled)
