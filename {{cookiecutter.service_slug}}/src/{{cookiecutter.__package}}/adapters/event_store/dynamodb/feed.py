"""The feed of the DynamoDB event store: first a scan of the table, then the table's stream.

DynamoDB Streams keeps the changes of the last 24 hours, in order for each item, in shards: when a
shard is full, child shards follow it. A checkpoint says how far each shard was read. A shard that
was read to its end leaves the checkpoint when a child of it comes in: a child is there only if its
parent is done. So a checkpoint is as large as there are shards side by side, not shards of a day.

If the checkpoint is older than the stream, names a shard that no longer exists, or is of another
stream, as after a restore into another table, the feed scans the table again. It also does so at a
regular interval, in case changes expired before they were read.
"""

import logging
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from itertools import islice
from threading import Lock
from typing import Any

import msgspec
from botocore.client import BaseClient
from botocore.config import Config
from botocore.exceptions import ClientError

from ....bus import ConfigurationError, FeedPage, StoredCommit
from ... import aws
from . import connection, table
from .errors import refuse_cut_answer, translating_errors

TOO_LATE = {"ResourceNotFoundException", "TrimmedDataAccessException"}
"""Error codes that mean that the stream no longer has what follows the checkpoint."""


MAX_BYTES, FILLED = 380_000, 0.9
"""The size that a checkpoint may have, since an item has at most 400 KB; and how much of it is used
after shards were left out."""

TOLD_EVERY = 3600.0
"""How often the log says, at most, that shards were left out, in seconds."""

logger = logging.getLogger(__name__)


class Shard(msgspec.Struct, omit_defaults=True):
    """How far a shard was read. `after` is the sequence number of the last record that was read.
    Before the first record, reading begins at `iterator`, which expires after 15 minutes, or else
    with the records made at `since` or later, in seconds since 1970. `done`: read to its end."""

    after: str = ""
    iterator: str = ""
    since: float = 0.0
    done: bool = False


class Checkpoint(msgspec.Struct, omit_defaults=True):
    """The place of a reader of the feed: in the scan that began at `swept`, at the key `scan`; or
    in the stream, if `scan` is None."""

    stream: str
    swept: float
    shards: dict[str, Shard]
    scan: dict[str, Any] | None = None


class DynamoDBFeed:
    """Reads the feed of one table. Safe for any number of threads, because the checkpoint holds all
    state."""

    def __init__(self, item: type[table.Item], sweep: timedelta) -> None:
        self.item, self._sweep = item, sweep.total_seconds()
        self._latest, self._tell_at = "", 0.0
        self._making = Lock()
        self._made: BaseClient | None = None

    def page(self, checkpoint: str | None, limit: int) -> FeedPage:
        """The page after the checkpoint: at most `limit` items of the scan, or of each shard."""
        at = msgspec.json.decode(checkpoint, type=Checkpoint) if checkpoint else None
        is_old = at is None or time.time() - at.swept > self._sweep
        if at is None or is_old or at.stream != (self._latest or self._stream()):
            at = self._begin(scan={})
        if at.scan is not None:
            return self._page(self._scanned(at, limit), at, more=True)
        try:
            commits, more = self._streamed(at, limit)
        except ClientError as error:
            if error.response["Error"]["Code"] not in TOO_LATE:
                raise
            at = self._begin(scan={})
            return self._page([], at, more=True)
        return self._page(commits, at, more=more)

    def end(self) -> str:
        """The checkpoint of the present moment."""
        return self._text(self._begin(scan=None))

    def close(self) -> None:
        """Release the connections."""
        if self._made:
            self._made.close()

    def _begin(self, scan: dict[str, Any] | None) -> Checkpoint:
        """A checkpoint at the present end of the stream. It is made before a scan, so that the
        stream gives every commit that the scan does not see."""
        now, stream = time.time(), self._stream()
        shards = {}
        listed = list(self._shards(stream))
        parents = {parent for _, parent, _ in listed}
        for shard_id, _, is_closed in listed:
            if not is_closed:
                shards[shard_id] = Shard(since=now)
            elif shard_id not in parents:
                shards[shard_id] = Shard(done=True)
        at = Checkpoint(stream, now, shards, scan)
        for shard_id, shard in shards.items():
            if not shard.done:
                shard.iterator = self._iterator(at, shard_id, ShardIteratorType="LATEST")
        return at

    def _scanned(self, at: Checkpoint, limit: int) -> list[StoredCommit]:
        page = connection.scan(self.item, self.item.events.exists(), limit, at.scan)
        at.scan = page.next
        return [table.stored_commit(item) for item in page.items]

    def _streamed(self, at: Checkpoint, limit: int) -> tuple[list[StoredCommit], bool]:
        commits: list[StoredCommit] = []
        more = ended = False
        for shard_id, shard in at.shards.items():
            if not shard.done:
                records = self._records(at, shard_id, limit)
                commits += commits_of(self.item, records)
                more, ended = more or bool(records), ended or shard.done
        if ended:
            self._follow(at)
        return commits, more or ended

    def _records(self, at: Checkpoint, shard_id: str, limit: int) -> list[dict[str, Any]]:
        """The records of the shard after its checkpoint. Moves the checkpoint."""
        shard = at.shards[shard_id]
        answer = self._get_records(shard.iterator, limit) if shard.iterator else None
        if answer is None:
            answer = self._get_records(self._iterator(at, shard_id, **_start(shard)), limit)
        if answer is None:
            return []  # this one has expired too: the next call makes another
        records: list[dict[str, Any]] = answer["Records"]
        if records:
            shard.after, shard.iterator = records[-1]["dynamodb"]["SequenceNumber"], ""
        shard.done = answer.get("NextShardIterator") is None
        if shard.since:
            records = [record for record in records if _seconds(record) >= int(shard.since)]
        if shard.after:
            shard.since = 0.0
        return records

    def _follow(self, at: Checkpoint) -> None:
        """Add the child shards of those that are done. Remove the done shards that have a child
        here, or that no longer exist."""
        listed = {shard_id: parent for shard_id, parent, _ in self._shards(at.stream)}
        unread = listed.keys() - at.shards.keys() - _ancestors(at.shards, listed)
        for shard_id, parent in listed.items():
            before = at.shards.get(parent)
            if shard_id in unread and parent not in unread and (before is None or before.done):
                at.shards[shard_id] = Shard()
        parents = {listed.get(shard_id) for shard_id in at.shards}
        for shard_id in [name for name, shard in at.shards.items() if shard.done]:
            if shard_id in parents or shard_id not in listed:
                del at.shards[shard_id]
        self._stream()  # if it was switched off and on again, there is another one

    def _page(self, commits: list[StoredCommit], at: Checkpoint, *, more: bool) -> FeedPage:
        return FeedPage(commits, self._text(at), more)

    def _text(self, at: Checkpoint) -> str:
        """The checkpoint as text. If it is too large, it first goes without the iterators, which
        only save time, and then without some of the shards: the next sweep finds what they give."""
        text = msgspec.json.encode(at).decode()
        if len(text) > MAX_BYTES:
            for shard in at.shards.values():
                shard.iterator = ""
            text = msgspec.json.encode(at).decode()
        if len(text) > MAX_BYTES:
            count = len(at.shards)
            kept = int(count * FILLED * MAX_BYTES / len(text))
            at.shards = dict(islice(at.shards.items(), kept))
            text = msgspec.json.encode(at).decode()
            self._tell(count, kept)
        return text

    def _tell(self, count: int, kept: int) -> None:
        now = time.monotonic()
        if now >= self._tell_at:  # otherwise each shard that ends would be a line
            self._tell_at = now + TOLD_EVERY
            logger.error(
                "the stream has %d shards side by side, and a checkpoint has room for %d: "
                "what the others give is seen late, in the next sweep (SWEEP_HOURS)",
                count,
                kept,
            )

    def _stream(self) -> str:
        with translating_errors():
            stream: str | None = self.item.describe_table().get("LatestStreamArn")
        if not stream:
            meta: Any = self.item.Meta
            raise ConfigurationError(
                f"DYNAMODB_TABLE: {meta.table_name} has no stream: "
                "enable it with the view type NEW_IMAGE"
            )
        self._latest = stream
        return stream

    def _shards(self, stream: str) -> Iterator[tuple[str, str, bool]]:
        """For each shard: its id, its parent's id or an empty text, and whether it is closed, which
        means that it gets no more records."""
        start: dict[str, str] = {}
        while True:
            with translating_errors():
                described = self._client.describe_stream(StreamArn=stream, **start)
            for shard in described["StreamDescription"]["Shards"]:
                is_closed = "EndingSequenceNumber" in shard["SequenceNumberRange"]
                yield shard["ShardId"], shard.get("ParentShardId", ""), is_closed
            last = described["StreamDescription"].get("LastEvaluatedShardId")
            if not last:
                return
            start = {"ExclusiveStartShardId": last}

    def _iterator(self, at: Checkpoint, shard_id: str, **start: str) -> str:
        with translating_errors():
            answer = self._client.get_shard_iterator(StreamArn=at.stream, ShardId=shard_id, **start)
        iterator: str = answer["ShardIterator"]
        return iterator

    def _get_records(self, iterator: str, limit: int) -> dict[str, Any] | None:
        """None if the iterator has expired."""
        try:
            with translating_errors():
                answer: dict[str, Any] = self._client.get_records(
                    ShardIterator=iterator, Limit=min(limit, 1000)
                )
        except ClientError as error:
            if error.response["Error"]["Code"] == "ExpiredIteratorException":
                return None
            raise
        return answer

    @property
    def _client(self) -> Any:
        """The client of the stream, made on first use: a process that only handles commands does
        not need it."""
        with self._making:  # other threads wait until it is made
            if self._made is None:
                meta: Any = self.item.Meta
                local = {"account_id_endpoint_mode": "disabled"} if meta.host else {}
                self._made = aws.session().create_client(
                    "dynamodbstreams",
                    region_name=meta.region,
                    endpoint_url=meta.host,
                    config=Config(
                        connect_timeout=table.CONNECT_SECONDS,
                        read_timeout=table.READ_SECONDS,
                        retries={"total_max_attempts": 1 + table.RETRIES, "mode": "standard"},
                        **local,
                    ),
                )
                self._made.meta.events.register("after-call", refuse_cut_answer)
            return self._made


def commits_of(item: type[table.Item], records: Sequence[Any]) -> list[StoredCommit]:
    """The commits among the records of a stream."""
    images = [record["dynamodb"].get("NewImage", {}) for record in records]
    return [table.stored_commit(item.from_raw_data(image)) for image in images if "events" in image]


def _ancestors(shards: Iterable[str], parents: Mapping[str, str]) -> set[str]:
    """All shards that these come from."""
    found: set[str] = set()
    for shard_id in shards:
        parent = parents.get(shard_id)
        while parent and parent not in found:
            found.add(parent)
            parent = parents.get(parent)
    return found


def _start(shard: Shard) -> dict[str, str]:
    if shard.after:
        return {"ShardIteratorType": "AFTER_SEQUENCE_NUMBER", "SequenceNumber": shard.after}
    return {"ShardIteratorType": "TRIM_HORIZON"}


def _seconds(record: dict[str, Any]) -> float:
    created: Any = record["dynamodb"]["ApproximateCreationDateTime"]
    return float(created.timestamp())
