"""The log in one DynamoDB table.

The module `table` describes the items and their keys. One query loads a stream and its open pending
commands; if these are very many, a second query goes on after them. A commit to one stream without
follow-ups is one conditional put, the cheapest write there is. Every other commit is one
transaction. A sparse index over a few shards lists the due commands. The index is only a hint:
before a worker runs a command, it reads it again with a consistent read.

Optimistic concurrency check: the put requires that no item exists at the next version. This is
enough, because versions have no gaps and a position always comes from a load.

The permissions it needs in production: dynamodb:Query on the table and its indexes; GetItem,
BatchGetItem, PutItem, UpdateItem, DeleteItem and ConditionCheckItem on the table; for the feed
DescribeTable and Scan on the table, DescribeStream, GetShardIterator and GetRecords on its stream;
BatchWriteItem for a rebuild.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import msgspec
from pynamodb.exceptions import DoesNotExist, PutError, TransactWriteError
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action
from pynamodb.transactions import TransactWrite

from ....bus import (
    Commit,
    ConcurrencyError,
    DuplicateCommand,
    FeedPage,
    IdempotencyRecord,
    LoadedStream,
    PendingCommand,
    PendingKey,
    Position,
    Progress,
    Snapshot,
    Stored,
    StoredCommit,
    part_of,
)
from .. import PENDING_READ, both_ends, utc_text
from . import connection, table
from .errors import conditional_write, translating_errors
from .feed import DynamoDBFeed, commits_of
from .views import DynamoDBViews

TAIL_ITEMS = 250
"""The size of the first page of a query, and of all its pages when there may be a snapshot. A
smaller page reads fewer of the pending commands, or of the commits before the snapshot, that are
not needed."""

INDEX_ITEMS = 1000
"""The page size of a query of the index: some 100 KB."""

TRANSACTION_REFUSED = {"TransactionCanceledException", "TransactionConflictException"}


class DynamoDBEventStore:
    """The event store in the table of this name, in this region, or at this `url`. `sweep` is how
    often its feed scans the whole table again. `due_shards` is over how many partitions the index
    of pending commands is spread; it may be raised at any time, and never be lowered."""

    def __init__(
        self,
        table_name: str,
        *,
        region: str | None = None,
        url: str | None = None,
        sweep: timedelta = timedelta(days=1),
        due_shards: int = table.SHARDS,
    ) -> None:
        meta = type(
            "Meta", (table.Item.Meta,), {"table_name": table_name, "region": region, "host": url}
        )
        own = {"Meta": meta, "due_shards": due_shards}
        self.item: type[table.Item] = type("Item", (table.Item,), own)
        self._connection = connection.opened(self.item)
        self.views = DynamoDBViews(self.item)
        self._feed = DynamoDBFeed(self.item, sweep)

    def load(self, stream_id: str, at: int | None = None, *, fingerprint: str = "") -> LoadedStream:
        until = None if at is None else self.item.sort < table.commit_sort(at + 1)
        events: list[str] = []
        read: list[PendingCommand] = []
        snapshot, end = None, 0
        with translating_errors():
            page_size = TAIL_ITEMS if fingerprint else None
            for item in self._newest_first(stream_id, until, page_size):
                if item.sort.startswith(table.PENDING):
                    read.append(table.pending_command(item))
                elif not table.is_snapshot(item):
                    events.append(item.events)
                    end = end or table.last_version(item)
                elif fingerprint and item.fingerprint == fingerprint:
                    snapshot = table.snapshot(item)
                    break
        events.reverse()
        pending = [each for each in reversed(read) if each.parked_at is None]
        if snapshot and not events:
            end = snapshot.version
        more = len(read) == PENDING_READ
        return LoadedStream(Position(stream_id, end), events, pending, snapshot, more)

    def commits(
        self, stream_id: str, first: int = 1, last: int | None = None
    ) -> list[StoredCommit]:
        until = table.LAST_COMMIT if last is None else table.commit_sort(last)
        with translating_errors():
            items = self.item.query(
                stream_id,
                self.item.sort.between(table.commit_sort(first), until),
                consistent_read=True,
            )
            return [table.stored_commit(item) for item in items if not table.is_snapshot(item)]

    def append(self, commit: Commit) -> None:
        items = [table.commit_item(self.item, stored) for stored in StoredCommit.all_of(commit)]
        items += [table.pending_item(self.item, pending) for pending in commit.follow_ups]
        try:
            if len(items) == 1 and not (commit.consumes or commit.unchanged or commit.idempotency):
                self._put(commit, items[0])
            else:
                self._write_together(commit, items)
        except ConcurrencyError:
            if commit.consumes or not self._has(commit):
                raise

    def save_snapshot(self, snapshot: Snapshot) -> None:
        """Older snapshots stay beside it. A load never reaches them; the table's time to live
        deletes them."""
        with translating_errors():
            table.snapshot_item(self.item, snapshot).save()

    def handled(self, scope: str, key: str, now: datetime) -> IdempotencyRecord | None:
        try:
            with translating_errors():
                item = self.item.get(table.key_partition(scope, key), table.KEY)
        except DoesNotExist:
            return None
        record = table.idempotency_record(item)
        return record if record.expires_at > now else None

    def pending(self, stream_id: str) -> list[PendingCommand]:
        with translating_errors():
            found = self.item.query(
                stream_id, self.item.sort.startswith(table.PENDING), consistent_read=True
            )
            return [table.pending_command(item) for item in found if item.parked_at is None]

    def is_held_back(self, key: PendingKey) -> bool:
        until = self.item.sort.between(table.PENDING, table.todo(key))
        with translating_errors():
            return any(
                earlier.in_order and earlier.parked_at is None and earlier.key < key
                for earlier in map(table.pending_command, self._query(key.stream_id, until))
            )

    def due(self, now: datetime, limit: int = 100, part: int | None = None) -> list[str]:
        """The walk over the index goes on past the streams that are held back. So whatever the
        index lists is found as soon as it may run, whoever was killed before."""
        moment = utc_text(now)
        is_due = self.item.due_at <= moment
        found: list[tuple[str, str]] = []
        with translating_errors():
            for shard in range(self.item.due_shards):
                for partition, until in ((f"{shard}", None), (f"{table.FREE}{shard}", is_due)):
                    streams = self._due_in(partition, until, moment, limit, part)
                    found += [(due_at, stream_id) for stream_id, due_at in streams.items()]
        by_time = list(dict.fromkeys([stream_id for _, stream_id in sorted(found)]))
        return both_ends(by_time, limit)

    def waiting(self, until: datetime, limit: int = 100) -> list[PendingKey]:
        return self._indexed(("", table.FREE), self.item.due_at <= utc_text(until), limit)

    def claim(self, pending: PendingCommand, due_at: datetime) -> bool:
        count, due = self.item.attempts.add(1), self.item.due_at.set(utc_text(due_at))
        return self._change(pending.key, [count, due], self._is_as_given(pending))

    def park(self, pending: PendingCommand, at: datetime, error: str) -> bool:
        return self._change(
            pending.key,
            [
                self.item.parked_at.set(utc_text(at)),
                self.item.error.set(error),
                self.item.due_shard.set(table.PARKED + table.shard(self.item, pending.key)),
                self.item.due_at.set(utc_text(at)),
            ],
            self._is_as_given(pending),
        )

    def parked(self, limit: int = 100) -> list[PendingCommand]:
        found = []
        for key in self._indexed((table.PARKED,), None, limit):
            with translating_errors(), suppress(DoesNotExist):
                item = self.item.get(key.stream_id, table.todo(key), consistent_read=True)
                if item.parked_at is not None:
                    found.append(table.pending_command(item))
        return found

    def replay(self, key: PendingKey, due_at: datetime) -> bool:
        return self._change(
            key,
            [
                self.item.attempts.set(0),
                self.item.due_at.set(utc_text(due_at)),
                self.item.due_shard.set(table.FREE + table.shard(self.item, key)),
                self.item.in_order.set(False),
                self.item.parked_at.remove(),
                self.item.error.remove(),
            ],
            self.item.parked_at.exists(),
        )

    def drop(self, key: PendingKey) -> bool:
        item = self.item(key.stream_id, table.todo(key))
        with translating_errors(), conditional_write() as written:
            item.delete(condition=self.item.parked_at.exists())
        return written.is_set()

    def feed(self, checkpoint: str | None = None, limit: int = 1000) -> FeedPage:
        return self._feed.page(checkpoint, limit)

    def end(self) -> str:
        return self._feed.end()

    def visible(self, checkpoint: str | None = None, limit: int = 1000) -> FeedPage:
        return self.feed(checkpoint, limit)

    def holders(self) -> list[str]:
        return []

    def size(self) -> int:
        """The number of items of any kind. DynamoDB counts them every six hours."""
        with translating_errors():
            count: int = self.item.describe_table()["ItemCount"]
            return count

    def commits_in(self, records: Sequence[Any]) -> list[StoredCommit]:
        """The commits among the records that the table's stream pushes: see `PushedFeed`."""
        return commits_of(self.item, records)

    def correlated(self, correlation_id: str, progress: Progress) -> Iterable[StoredCommit]:
        """Scans the whole table: there is no index by correlation id."""
        quoted = msgspec.json.encode(correlation_id).decode()
        wanted = self.item.events.exists() & self.item.context.contains(quoted[1:-1])
        scanned, total = 0, self.size()
        start: dict[str, Any] | None = {}
        found: list[StoredCommit] = []
        while start is not None:
            page = connection.scan(self.item, wanted, None, start)
            commits = [table.stored_commit(item) for item in page.items]
            found += [each for each in commits if each.context.correlation_id == correlation_id]
            scanned, start = scanned + page.scanned, page.next
            progress(scanned, scanned if start is None else max(scanned, total))
        return found

    def dump(self) -> Iterator[Stored]:
        """DynamoDB cannot read a whole table as of one moment: stop all writers meanwhile."""
        is_commit = self.item.events.exists()
        is_pending = self.item.sort.startswith(table.PENDING)
        with translating_errors():
            yield from map(table.stored_commit, self.item.scan(is_commit, consistent_read=True))
            yield from map(table.pending_command, self.item.scan(is_pending, consistent_read=True))
            records = self.item.scan(self.item.sort == table.KEY, consistent_read=True)
            yield from map(table.idempotency_record, records)

    def restore(self, batch: Sequence[Stored]) -> None:
        for stored in batch:
            match stored:
                case StoredCommit():
                    item = table.commit_item(self.item, stored)
                case PendingCommand():
                    item = table.pending_item(self.item, stored)
                case IdempotencyRecord():
                    item = table.idempotency_item(self.item, stored)
            with translating_errors(), conditional_write():
                item.save(condition=self.item.sort.does_not_exist())

    def ping(self) -> None:
        with translating_errors(), suppress(DoesNotExist):
            self.item.get("ping", "ping")

    def close(self) -> None:
        self._connection.client.close()
        self._feed.close()

    def _put(self, commit: Commit, item: table.Item) -> None:
        try:
            with translating_errors():
                item.save(condition=self.item.sort.does_not_exist())
        except PutError as error:
            match error.cause_response_code:
                case "ConditionalCheckFailedException":
                    raise ConcurrencyError(commit.appends[0].after.stream_id) from error
                case "TransactionConflictException":  # another transaction is writing the item
                    raise ConcurrencyError from error
            raise

    def _write_together(self, commit: Commit, items: list[table.Item]) -> None:
        """Write these items in one transaction. If DynamoDB refuses it, it gives a reason for each
        part, in the order in which pynamodb sends the parts: condition checks, deletes, puts."""
        parts: list[str | None] = []
        absent = self.item.sort.does_not_exist()
        still_open = self.item.sort.exists() & self.item.parked_at.does_not_exist()
        try:
            with translating_errors(), TransactWrite(connection=self._connection) as transaction:
                for position in commit.unchanged:
                    after = table.commit_sort(position.version + 1)
                    transaction.condition_check(self.item, position.stream_id, after, absent)
                    parts.append(position.stream_id)
                if commit.consumes:
                    key = commit.consumes
                    transaction.delete(self.item(key.stream_id, table.todo(key)), still_open)
                    parts.append(None)
                if commit.idempotency:
                    expired = self.item.expires_at <= utc_text(commit.recorded_at)
                    record = table.idempotency_item(self.item, commit.idempotency)
                    transaction.save(record, absent | expired)
                    parts.append(None)
                for item in items:
                    transaction.save(item, absent)
                    parts.append(item.stream_id)
        except TransactWriteError as error:
            if error.cause_response_code not in TRANSACTION_REFUSED:
                raise
            refused = [
                part
                for part, reason in zip(parts, error.cancellation_reasons, strict=False)
                if reason and reason.code == "ConditionalCheckFailed"
            ]
            if None in refused:
                raise DuplicateCommand(commit.command, commit.command_id) from error
            # no name in `refused`: another transaction is writing one of the items
            raise ConcurrencyError(*[part for part in refused if part]) from error

    def _has(self, commit: Commit) -> bool:
        """Whether this very commit was written before: the item at its first version has its
        command id."""
        if not commit.appends:
            return False
        after = commit.appends[0].after
        try:
            with translating_errors():
                there = self.item.get(
                    after.stream_id, table.commit_sort(after.version + 1), consistent_read=True
                )
        except DoesNotExist:
            return False
        return there.command_id == commit.command_id

    def _newest_first(
        self, stream_id: str, until: Condition | None, page_size: int | None
    ) -> Iterator[table.Item]:
        """The items of a stream in descending order: first the pending commands, at most
        `PENDING_READ` of them, then the commits and snapshots."""
        waiting = 0
        for item in self._query(stream_id, until, page_size, forward=False):
            yield item
            waiting += item.sort.startswith(table.PENDING)
            if waiting == PENDING_READ:
                break
        if waiting == PENDING_READ:
            yield from self._query(
                stream_id, self.item.sort < table.PENDING, page_size, forward=False
            )

    def _query(
        self,
        stream_id: str,
        condition: Condition | None,
        page_size: int | None = None,
        *,
        forward: bool = True,
    ) -> Iterator[table.Item]:
        """The items of a stream, read consistently. The first page is small, because often nothing
        more is needed."""
        query = partial(
            self.item.query, stream_id, condition, consistent_read=True, scan_index_forward=forward
        )
        first = query(limit=TAIL_ITEMS)
        yield from first
        if first.last_evaluated_key:
            yield from query(last_evaluated_key=first.last_evaluated_key, page_size=page_size)

    def _is_as_given(self, pending: PendingCommand) -> Condition:
        as_given: Condition = (
            self.item.parked_at.does_not_exist()
            & (self.item.attempts == pending.attempts)
            & (self.item.due_at == utc_text(pending.due_at))
        )
        return as_given

    def _change(self, key: PendingKey, actions: list[Action], condition: Condition) -> bool:
        item = self.item(key.stream_id, table.todo(key))
        with translating_errors(), conditional_write() as written:
            item.update(actions, condition=condition)
        return written.is_set()

    def _due_in(
        self, partition: str, until: Condition | None, now: str, limit: int, part: int | None
    ) -> dict[str, str]:
        """The streams of this part, in a partition of the index, that have a command that may run
        now, each with a time that it has been due for. If there are more than `limit`, so many from
        each end.

        The newest entries come first. So of the commands in order, those that are not due come
        before all others, and each of them holds back the later ones of its stream. A command that
        none of them holds back is the first of its stream, or that one is due as well.
        """
        held_back_from: dict[str, PendingKey] = {}
        found: dict[str, str] = {}
        for forward, condition in ((False, until), (True, self.item.due_at <= now)):
            enough = len(found) + limit
            for item in self.item.due.query(
                partition, condition, scan_index_forward=forward, page_size=INDEX_ITEMS
            ):
                key, due_at = table.pending_key(item), item.due_at
                first = held_back_from.get(key.stream_id, key)
                if due_at > now:
                    held_back_from[key.stream_id] = min(key, first)
                elif key <= first and part in (None, part_of(key.stream_id)):
                    found[key.stream_id] = min(due_at, found.get(key.stream_id, due_at))
                    if len(found) == enough:
                        break
            else:
                return found  # it was read to its end
        return found

    def _indexed(
        self, kinds: Sequence[str], until: Condition | None, limit: int
    ) -> list[PendingKey]:
        """The keys in the index of these kinds, from all its shards, in the order of time."""
        with translating_errors():
            found = sorted(
                (item.due_at, table.pending_key(item))
                for kind in kinds
                for shard in range(self.item.due_shards)
                for item in self.item.due.query(f"{kind}{shard}", until, limit=limit)
            )
        return [key for _, key in found[:limit]]
