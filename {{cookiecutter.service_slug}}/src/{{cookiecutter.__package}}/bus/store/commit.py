"""The commit: everything that one command writes, in one atomic write."""

from datetime import datetime

import msgspec

from ..model.context import Context
from ..model.errors import CommitTooLarge
from ..model.messages import Event
from ..model.recorded_event import RecordedEvent
from .idempotency import IdempotencyRecord
from .pending import PendingCommand, PendingKey
from .stream import Position, StreamAppend

MAX_COMMIT_BYTES = 380_000
MAX_COMMIT_STREAMS = 90
MAX_COMMIT_ROWS = 98
"""The limit of streams and follow-ups together. The limits are those of the strictest store (400 KB
for an item, 100 items in a transaction). They are the same on every store, so that a commit fits
all of them."""

_MEASURE_CONTEXTS_ABOVE = 80_000
"""Up to this size of events and follow-ups, even 98 contexts of 3 KB stay within the limit. So only
a larger commit measures its contexts."""


class Commit(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """What `Log.append` writes.

    `unchanged` are the positions of streams that were loaded and get no events: the append checks
    that they have not changed. `consumes` is the key of the pending command that this commit
    handles. `idempotency` is the record of its idempotency key. Raises `CommitTooLarge`, when it is
    made, beyond the limits above.
    """

    command_id: str
    command: str
    context: Context
    recorded_at: datetime
    appends: tuple[StreamAppend, ...] = ()
    follow_ups: tuple[PendingCommand, ...] = ()
    consumes: PendingKey | None = None
    unchanged: tuple[Position, ...] = ()
    idempotency: IdempotencyRecord | None = None

    def __post_init__(self) -> None:
        size = 0
        for append in self.appends:
            size += _bytes(append.events)
        for pending in self.follow_ups:
            size += _bytes(pending.payload)
        if size > _MEASURE_CONTEXTS_ABOVE:
            size += len(self.appends) * _bytes(self.context.text())
            size += sum([_bytes(pending.context.text()) for pending in self.follow_ups])
        streams = len(self.appends) + len(self.unchanged)
        rows = streams + len(self.follow_ups)
        if size > MAX_COMMIT_BYTES:
            raise self._too_large(
                f"{size} bytes of events, follow-ups and contexts", MAX_COMMIT_BYTES
            )
        if streams > MAX_COMMIT_STREAMS:
            raise self._too_large(f"{streams} streams", MAX_COMMIT_STREAMS)
        if rows > MAX_COMMIT_ROWS:
            raise self._too_large(f"{rows} streams and follow-ups", MAX_COMMIT_ROWS)

    def _too_large(self, what: str, limit: int) -> CommitTooLarge:
        return CommitTooLarge(f"{self.command}: {what} in one commit, at most {limit}")


def _bytes(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode())


class StoredCommit(msgspec.Struct, frozen=True, gc=False, tag="commit"):
    """A commit as one of its streams stores it. `version` is the version of its first event,
    `events` a JSON array of `count` events."""

    stream_id: str
    version: int
    count: int
    events: str
    command_id: str
    command: str
    context: Context
    recorded_at: datetime

    @classmethod
    def all_of(cls, commit: Commit) -> "list[StoredCommit]":
        """The commit as each of its streams stores it."""
        return [
            cls(
                append.after.stream_id,
                append.after.version + 1,
                append.count,
                append.events,
                commit.command_id,
                commit.command,
                commit.context,
                commit.recorded_at,
            )
            for append in commit.appends
        ]

    def recorded(self, event: Event, offset: int) -> RecordedEvent:
        """The recorded event at `offset` in the commit, counted from 0."""
        version = self.version + offset
        return RecordedEvent(
            event,
            f"{self.stream_id}@{version}",
            self.stream_id,
            version,
            self.recorded_at,
            self.command_id,
            self.context,
            self.command,
        )
