"""The table of the DynamoDB event store: its items, their keys, and the index of what is due.

A partition per stream, one item per commit. The sort keys within a partition::

    commit#0000000001      a commit, under the version of its first event
    todo#0000000001#000    a pending command, under its commit's version and its ordinal

so that one query, from the end, meets what is open first and then the commits, newest first.
"""

from datetime import datetime
from zlib import crc32

from pynamodb.attributes import BooleanAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.indexes import GlobalSecondaryIndex, KeysOnlyProjection
from pynamodb.models import Model

from ...bus.store import PendingCommand, PendingKey, StoredCommit
from . import utc_text

SHARDS, PARKED = 4, "parked-"
CONNECT_SECONDS, READ_SECONDS, RETRIES, CONNECTIONS = 1, 3, 2, 50


class DueIndex(GlobalSecondaryIndex["Item"]):  # type: ignore[no-untyped-call]  # of pynamodb
    """The pending commands of a shard by due time."""

    class Meta:
        index_name = "due"
        projection = KeysOnlyProjection()

    due_shard = UnicodeAttribute(hash_key=True)
    due_at = UnicodeAttribute(range_key=True)


class Item(Model):
    """An item of the table: a commit in one stream, or a pending command."""

    class Meta:
        billing_mode = "PAY_PER_REQUEST"
        connect_timeout_seconds = CONNECT_SECONDS
        read_timeout_seconds = READ_SECONDS
        max_retry_attempts = RETRIES
        max_pool_connections = CONNECTIONS

    stream_id = UnicodeAttribute(hash_key=True)
    sort = UnicodeAttribute(range_key=True)
    command_id = UnicodeAttribute()
    correlation_id = UnicodeAttribute()
    causation_id = UnicodeAttribute(null=True)
    # of a commit
    command = UnicodeAttribute(null=True)
    events_count = NumberAttribute(attr_name="count", null=True)
    events = UnicodeAttribute(null=True)
    recorded_at = UnicodeAttribute(null=True)
    # of a pending command
    payload = UnicodeAttribute(null=True)
    attempts = NumberAttribute(null=True)
    due_at = UnicodeAttribute(null=True)
    due_shard = UnicodeAttribute(null=True)
    in_order = BooleanAttribute(null=True)
    parked_at = UnicodeAttribute(null=True)
    error = UnicodeAttribute(null=True)

    due = DueIndex()


def todo(key: PendingKey) -> str:
    """The sort key of a pending command."""
    return f"todo#{key.version:010}#{key.ordinal:03}"


def shard(key: PendingKey) -> str:
    """The shard of the index that a stream's commands are in."""
    return str(crc32(key.stream_id.encode()) % SHARDS)


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
        correlation_id=stored.correlation_id,
        causation_id=stored.causation_id,
        recorded_at=utc_text(stored.recorded_at),
    )


def pending_item(item_type: type[Item], pending: PendingCommand) -> Item:
    """The item that is a pending command."""
    item = item_type(pending.key.stream_id, todo(pending.key))
    item.command_id = pending.command_id
    item.payload = pending.payload
    item.causation_id = pending.causation_id
    item.correlation_id = pending.correlation_id
    item.attempts = pending.attempts
    item.due_at = utc_text(pending.due_at)
    item.due_shard = shard(pending.key)
    if not pending.in_order:
        item.in_order = False
    return item


def stored_commit(item: Item) -> StoredCommit:
    """The commit that an item keeps."""
    return StoredCommit(
        item.stream_id,
        int(item.sort.partition("#")[2]),
        int(item.events_count),
        item.events,
        item.command_id,
        item.command,
        item.correlation_id,
        item.causation_id,
        datetime.fromisoformat(item.recorded_at),
    )


def pending_command(item: Item) -> PendingCommand:
    """The pending command that an item is."""
    return PendingCommand(
        pending_key(item),
        item.command_id,
        item.payload,
        item.causation_id,
        item.correlation_id,
        int(item.attempts),
        datetime.fromisoformat(item.due_at),
        item.in_order is not False,
        datetime.fromisoformat(item.parked_at) if item.parked_at else None,
        item.error or "",
    )


def pending_key(item: Item) -> PendingKey:
    """Its name, from its keys alone: all that the index holds."""
    _, version, ordinal = item.sort.split("#")
    return PendingKey(item.stream_id, int(version), int(ordinal))
