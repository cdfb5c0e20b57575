"""The event store in one DynamoDB table: nothing to operate, paid by the request.

`dynamodb_table` shows the items and their keys. One query loads a stream and what is open in it. A
command on one aggregate that leads to nothing further is one conditional put: the cheapest write
there is. Every other commit is one transaction. What is due is found through a sparse index over a few
shards; it is a hint only, and what it names is read again, consistently, before it is run.

That a position is the end of its stream is checked as: the item that would follow it is not there.
That suffices, because positions come from loads, and commits leave no gap.

What it may do in production: dynamodb:Query on the table and its index; GetItem, PutItem,
UpdateItem, DeleteItem and ConditionCheckItem on the table.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from threading import Event

from botocore.exceptions import BotoCoreError, NoRegionError
from pynamodb.connection import Connection
from pynamodb.exceptions import (
    DeleteError,
    DoesNotExist,
    PutError,
    PynamoDBException,
    TransactWriteError,
    UpdateError,
)
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action
from pynamodb.transactions import TransactWrite

from ...bus.errors import (
    ConcurrencyError,
    ConfigurationError,
    DuplicateCommand,
    StoreUnavailable,
)
from ...bus.store import (
    Commit,
    EventStore,
    LoadedStream,
    PendingCommand,
    PendingKey,
    Position,
    StoredCommit,
)
from ...config import Settings
from . import dynamodb_table as table
from . import utc_text

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
TRANSACTION_REFUSED = {"TransactionCanceledException", "TransactionConflictException"}


class DynamoDBEventStore:
    """Streams and pending commands in the table of this name, in this region, or at this address."""

    def __init__(
        self, table_name: str, *, region: str | None = None, url: str | None = None
    ) -> None:
        meta = type(
            "Meta", (table.Item.Meta,), {"table_name": table_name, "region": region, "host": url}
        )
        self.item: type[table.Item] = type("Item", (table.Item,), {"Meta": meta})
        self._connection: Connection = self.item._get_connection().connection
        try:
            self._client = self._connection.client  # made now, while nobody waits
        except NoRegionError as error:
            raise ConfigurationError("AWS_REGION: name a region, such as eu-west-1") from error

    def load(self, stream_id: str, at: int | None = None) -> LoadedStream:
        until = None if at is None else self.item.sort < table.commit_sort(at + 1)
        commits: list[StoredCommit] = []
        pending: list[PendingCommand] = []
        with _answering():
            for item in self.item.query(
                stream_id, until, consistent_read=True, scan_index_forward=False
            ):
                if item.events is None:
                    if item.parked_at is None:
                        pending.append(table.pending_command(item))
                else:
                    commits.append(table.stored_commit(item))
        commits.reverse()
        pending.reverse()
        end = commits[-1].version + commits[-1].count - 1 if commits else 0
        return LoadedStream(Position(stream_id, end), commits, pending)

    def append(self, commit: Commit) -> None:
        items = [table.commit_item(self.item, stored) for stored in StoredCommit.all_of(commit)]
        items += [table.pending_item(self.item, pending) for pending in commit.follow_ups]
        try:
            if len(items) == 1 and not commit.consumes and not commit.unchanged:
                self._put(commit, items[0])
            else:
                self._write_together(commit, items)
        except ConcurrencyError:
            if commit.consumes or not self._has(commit):
                raise

    def pending(self, stream_id: str) -> list[PendingCommand]:
        with _answering():
            found = self.item.query(
                stream_id, self.item.sort.startswith("todo#"), consistent_read=True
            )
            return [table.pending_command(item) for item in found if item.parked_at is None]

    def due(self, now: datetime, limit: int = 100) -> list[PendingKey]:
        return self._indexed("", self.item.due_at <= utc_text(now), limit)

    def claim(self, pending: PendingCommand, due_at: datetime) -> bool:
        count, due = self.item.attempts.add(1), self.item.due_at.set(utc_text(due_at))
        return self._change(pending.key, [count, due], self._is_as_given(pending))

    def park(self, pending: PendingCommand, at: datetime, error: str) -> bool:
        return self._change(
            pending.key,
            [
                self.item.parked_at.set(utc_text(at)),
                self.item.error.set(error),
                self.item.due_shard.set(table.PARKED + table.shard(pending.key)),
                self.item.due_at.set(utc_text(at)),
            ],
            self._is_as_given(pending),
        )

    def parked(self, limit: int = 100) -> list[PendingCommand]:
        found = []
        for key in self._indexed(table.PARKED, None, limit):
            with _answering(), suppress(DoesNotExist):
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
                self.item.due_shard.set(table.shard(key)),
                self.item.in_order.set(False),
                self.item.parked_at.remove(),
                self.item.error.remove(),
            ],
            self.item.parked_at.exists(),
        )

    def drop(self, key: PendingKey) -> bool:
        item = self.item(key.stream_id, table.todo(key))
        with _answering(), _refusing() as taken:
            item.delete(condition=self.item.parked_at.exists())
        return taken.is_set()

    def ping(self) -> None:
        with _answering(), suppress(DoesNotExist):
            self.item.get("ping", "ping")

    def close(self) -> None:
        self._client.close()

    def _put(self, commit: Commit, item: table.Item) -> None:
        try:
            with _answering():
                item.save(condition=self.item.sort.does_not_exist())
        except PutError as error:
            match error.cause_response_code:
                case "ConditionalCheckFailedException":
                    raise ConcurrencyError(commit.appends[0].after.stream_id) from error
                case "TransactionConflictException":  # somebody else is writing it just now
                    raise ConcurrencyError from error
            raise

    def _write_together(self, commit: Commit, items: list[table.Item]) -> None:
        """One transaction. The reasons for refusing it come in the order that pynamodb sends its
        parts: condition checks, deletes, puts."""
        parts: list[str | None] = []
        absent = self.item.sort.does_not_exist()
        still_open = self.item.sort.exists() & self.item.parked_at.does_not_exist()
        try:
            with _answering(), TransactWrite(connection=self._connection) as transaction:
                for position in commit.unchanged:
                    after = table.commit_sort(position.version + 1)
                    transaction.condition_check(self.item, position.stream_id, after, absent)
                    parts.append(position.stream_id)
                if commit.consumes:
                    key = commit.consumes
                    transaction.delete(self.item(key.stream_id, table.todo(key)), still_open)
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
            # without a name: somebody else is writing one of them just now
            raise ConcurrencyError(*[part for part in refused if part]) from error

    def _has(self, commit: Commit) -> bool:
        """Whether this very commit was taken before: its first event stands where it puts it."""
        after = commit.appends[0].after
        try:
            with _answering():
                there = self.item.get(
                    after.stream_id, table.commit_sort(after.version + 1), consistent_read=True
                )
        except DoesNotExist:
            return False
        return there.command_id == commit.command_id

    def _is_as_given(self, pending: PendingCommand) -> Condition:
        as_given: Condition = (
            self.item.parked_at.does_not_exist()
            & (self.item.attempts == pending.attempts)
            & (self.item.due_at == utc_text(pending.due_at))
        )
        return as_given

    def _change(self, key: PendingKey, actions: list[Action], condition: Condition) -> bool:
        item = self.item(key.stream_id, table.todo(key))
        with _answering(), _refusing() as taken:
            item.update(actions, condition=condition)
        return taken.is_set()

    def _indexed(self, kind: str, until: Condition | None, limit: int) -> list[PendingKey]:
        """What the index holds of this kind in all its shards, by time."""
        with _answering():
            found = sorted(
                (item.due_at, table.pending_key(item))
                for shard in range(table.SHARDS)
                for item in self.item.due.query(f"{kind}{shard}", until, limit=limit)
            )
        return [key for _, key in found[:limit]]


@contextmanager
def _answering() -> Iterator[None]:
    """Turns the ways in which DynamoDB does not answer, or not now, into `StoreUnavailable`."""
    try:
        yield
    except PynamoDBException as error:
        if isinstance(error.cause, BotoCoreError) or _codes(error) & NOT_NOW:
            raise StoreUnavailable(f"DynamoDB: {error.cause}") from error
        raise


@contextmanager
def _refusing() -> Iterator[Event]:
    """Sets its event if the conditional write in it was made; one that was refused passes."""
    taken = Event()
    try:
        yield taken
        taken.set()
    except (UpdateError, DeleteError) as error:
        if error.cause_response_code not in ROW_REFUSED:
            raise


def _codes(error: PynamoDBException) -> set[str | None]:
    reasons = error.cancellation_reasons if isinstance(error, TransactWriteError) else []
    return {error.cause_response_code, *(reason.code for reason in reasons if reason)}


def create(settings: Settings) -> None:
    """Create the table at AWS_ENDPOINT_URL, for local use, unless it is there.

    Raises `ConfigurationError` without AWS_ENDPOINT_URL: in production, the deployment makes it.
    """
    if not settings.aws_endpoint_url:
        raise ConfigurationError(
            "AWS_ENDPOINT_URL: not set, and without it the table would be made in AWS itself: "
            "that is for the deployment to do"
        )
    with _answering():
        _open(settings).item.create_table(wait=True)


def open_store(settings: Settings) -> EventStore:
    """The store in the table DYNAMODB_TABLE. Nothing is asked of DynamoDB yet."""
    return _open(settings)


def _open(settings: Settings) -> DynamoDBEventStore:
    return DynamoDBEventStore(
        settings.dynamodb_table, region=settings.aws_region, url=settings.aws_endpoint_url
    )
