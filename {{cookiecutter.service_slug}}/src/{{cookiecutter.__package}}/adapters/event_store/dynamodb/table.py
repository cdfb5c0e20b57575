"""The table of the DynamoDB event store: its items, their keys, and its two indexes.

A partition per stream, one item per commit. The sort keys within a partition::

    commit#0000000001            a commit, under the version of its first event
    commit#0000000003#snapshot   a snapshot at the end of a commit, under the version of its last
    todo#0000000001#000          a pending command, under its commit's version and its ordinal

One query in descending order returns the pending commands first, then the commits, newest first.
A snapshot comes before the commits that it contains. Idempotency records, rows and cells have
partitions of their own.
"""

import math
from datetime import UTC, datetime, timedelta
from zlib import crc32

import msgspec
from pynamodb.attributes import BooleanAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex, KeysOnlyProjection
from pynamodb.models import Model

from ....bus import (
    Context,
    IdempotencyRecord,
    PendingCommand,
    PendingKey,
    Snapshot,
    StoredCommit,
    ViewRow,
)
from .. import utc_text

PENDING, SNAPSHOT, KEY, ROW, CELL = "todo#", "#snapshot", "key", "row", "cell"
SHARDS = 4
FREE, PARKED = "free-", "parked-"
"""Before the shard, in the index: the commands out of order, and the dead letters. Those in order
have the shard alone."""
LAST_COMMIT = "commit#9999999999"
SNAPSHOT_KEPT = timedelta(days=90)
AFTER_EXPIRY = timedelta(days=2)
CONNECT_SECONDS, READ_SECONDS, RETRIES, CONNECTIONS = 1, 3, 2, 50


class DueIndex(GlobalSecondaryIndex["Item"]):  # type: ignore[no-untyped-call]  # of pynamodb
    """The pending commands of a shard by due time: those in order, those out of order, and the
    dead letters, each in a partition of its own."""

    class Meta:
        index_name = "due"
        projection = KeysOnlyProjection()

    due_shard = UnicodeAttribute(hash_key=True)
    due_at = UnicodeAttribute(range_key=True)


class ListIndex(GlobalSecondaryIndex["Item"]):  # type: ignore[no-untyped-call]  # of pynamodb
    """The rows of a read model with one label, in their order; spread over shards."""

    class Meta:
        index_name = "listed"
        projection = AllProjection()

    listed_in = UnicodeAttribute(hash_key=True)
    listed_at = UnicodeAttribute(range_key=True)


class Item(Model):
    """An item of the table: a commit in one stream, a pending command, a snapshot, ..."""

    class Meta:
        billing_mode = "PAY_PER_REQUEST"
        stream_view_type = "NEW_IMAGE"
        connect_timeout_seconds = CONNECT_SECONDS
        read_timeout_seconds = READ_SECONDS
        max_retry_attempts = RETRIES
        max_pool_connections = CONNECTIONS

    stream_id = UnicodeAttribute(hash_key=True)
    sort = UnicodeAttribute(range_key=True)
    command_id = UnicodeAttribute(null=True)
    context = UnicodeAttribute(null=True)
    # of a commit
    command = UnicodeAttribute(null=True)
    events_count = NumberAttribute(attr_name="count", null=True)
    events = UnicodeAttribute(null=True)
    recorded_at = UnicodeAttribute(null=True)
    # of a pending command
    payload = UnicodeAttribute(null=True)
    attempts = NumberAttribute(null=True)
    due_at = UnicodeAttribute(null=True)
    due_shards: int = SHARDS  # a store may have more
    due_shard = UnicodeAttribute(null=True)
    in_order = BooleanAttribute(null=True)
    parked_at = UnicodeAttribute(null=True)
    error = UnicodeAttribute(null=True)
    # of a snapshot, an idempotency record, a row or a cell: it is in `payload`
    fingerprint = UnicodeAttribute(null=True)
    expires_at = UnicodeAttribute(null=True)
    row_version = NumberAttribute(null=True)
    listed_in = UnicodeAttribute(null=True)
    listed_at = UnicodeAttribute(null=True)
    expires = NumberAttribute(null=True)
    """The table's time to live, in seconds since 1970. DynamoDB may delete the item later: nothing
    depends on when."""

    due = DueIndex()
    listed = ListIndex()


def todo(key: PendingKey) -> str:
    """The sort key of a pending command."""
    return f"{PENDING}{key.version:010}#{key.ordinal:03}"


def shard(item_type: type[Item], key: PendingKey) -> str:
    """The shard of the index that a stream's commands are in."""
    return str(crc32(key.stream_id.encode()) % item_type.due_shards)


def commit_sort(version: int) -> str:
    """The sort key of the commit whose first event has this version."""
    return f"commit#{version:010}"


def commit_item(item_type: type[Item], stored: StoredCommit) -> Item:
    """The item that keeps a commit in one stream."""
    return item_type(
        stored.stream_id,
        commit_sort(stored.version),
        events_count=stored.count,
        events=stored.events,
        command_id=stored.command_id,
        command=stored.command,
        context=stored.context.text(),
        recorded_at=utc_text(stored.recorded_at),
    )


def pending_item(item_type: type[Item], pending: PendingCommand) -> Item:
    """The item that is a pending command."""
    item = item_type(pending.key.stream_id, todo(pending.key))
    item.command_id = pending.command_id
    item.payload = pending.payload
    item.context = pending.context.text()
    item.attempts = pending.attempts
    item.due_at = utc_text(pending.due_at)
    item.due_shard = shard(item_type, pending.key)
    if not pending.in_order:
        item.in_order = False
        item.due_shard = f"{FREE}{shard(item_type, pending.key)}"
    if pending.parked_at:
        item.parked_at = item.due_at = utc_text(pending.parked_at)
        item.error = pending.error
        item.due_shard = f"{PARKED}{shard(item_type, pending.key)}"
    return item


def snapshot_item(item_type: type[Item], kept: Snapshot) -> Item:
    """The item that keeps a snapshot."""
    item = item_type(kept.stream_id, f"{commit_sort(kept.version)}{SNAPSHOT}")
    item.payload, item.fingerprint = kept.state, kept.fingerprint
    item.expires = _seconds(datetime.now(UTC) + SNAPSHOT_KEPT)
    return item


def is_snapshot(item: Item) -> bool:
    """Whether this item, from among the commits, keeps a snapshot."""
    return item.sort.endswith(SNAPSHOT)


def snapshot(item: Item) -> Snapshot:
    """The snapshot that an item keeps."""
    version = int(item.sort.removesuffix(SNAPSHOT).partition("#")[2])
    return Snapshot(item.stream_id, version, item.fingerprint, item.payload)


def key_partition(scope: str, key: str) -> str:
    """The partition of an idempotency record."""
    return f"idempotency#{len(scope)}#{scope}#{key}"


def idempotency_item(item_type: type[Item], record: IdempotencyRecord) -> Item:
    """The item that keeps an idempotency record."""
    item = item_type(key_partition(record.idempotency.scope, record.idempotency.key), KEY)
    item.payload = msgspec.json.encode(record).decode()
    item.expires_at = utc_text(record.expires_at)
    item.expires = _seconds(record.expires_at + AFTER_EXPIRY)
    return item


def idempotency_record(item: Item) -> IdempotencyRecord:
    """The idempotency record that an item keeps."""
    return msgspec.json.decode(item.payload, type=IdempotencyRecord)


def row_partition(view: str, key: str) -> str:
    """The partition of a row of a read model."""
    return f"view#{view}#{key}"


def row_item(item_type: type[Item], view: str, row: ViewRow) -> Item:
    """The item that keeps a row. A row without a label is in no list."""
    item = item_type(row_partition(view, row.key), ROW)
    item.payload, item.row_version = msgspec.json.encode(row).decode(), row.version
    if row.label:
        item.listed_in = list_partition(view, row.label, crc32(row.key.encode()) % SHARDS)
        item.listed_at = list_sort(row.place)
    return item


def view_row(item: Item) -> ViewRow:
    """The row that an item keeps."""
    return msgspec.json.decode(item.payload, type=ViewRow)


def list_partition(view: str, label: str, shard: int) -> str:
    """The part of the index that lists rows with this label."""
    return f"{view}#{label}#{shard}"


def list_sort(place: tuple[str, str]) -> str:
    """A text that sorts as the place does: the tab sorts before every character that a text can
    hold."""
    return "\t".join(place)


def last_version(item: Item) -> int:
    """The version of the last event of the commit that an item keeps."""
    return _version(item) + int(item.events_count) - 1


def _version(item: Item) -> int:
    return int(item.sort.partition("#")[2])


def _seconds(moment: datetime) -> int:
    return math.ceil(moment.timestamp())


def stored_commit(item: Item) -> StoredCommit:
    """The commit that an item keeps."""
    return StoredCommit(
        item.stream_id,
        _version(item),
        int(item.events_count),
        item.events,
        item.command_id,
        item.command,
        Context.parse(item.context),
        datetime.fromisoformat(item.recorded_at),
    )


def pending_command(item: Item) -> PendingCommand:
    """The pending command that an item is."""
    return PendingCommand(
        pending_key(item),
        item.command_id,
        item.payload,
        Context.parse(item.context),
        int(item.attempts),
        datetime.fromisoformat(item.due_at),
        item.in_order is not False,
        datetime.fromisoformat(item.parked_at) if item.parked_at else None,
        item.error or "",
    )


def pending_key(item: Item) -> PendingKey:
    """The key of a pending command, from the keys of its item alone: the index holds no more."""
    _, version, ordinal = item.sort.split("#")
    return PendingKey(item.stream_id, int(version), int(ordinal))
