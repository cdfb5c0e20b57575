"""The port to the event store, and what passes through it.

A store moves text: it knows streams, commits and pending commands, and no message type. What must
become true together is one `Commit`, and `EventStore.append` is the only call that writes events.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Protocol

import msgspec

from .errors import CommitTooLarge
from .messages import Event
from .views import Views

# gc=False below: these hold text, times and each other, and so no cycle for the collector to find.

MAX_COMMIT_BYTES = 380_000
MAX_COMMIT_STREAMS = 90
MAX_COMMIT_ROWS = 98
"""Streams and follow-ups together. The limits are those of the narrowest store there is (400 KB an
item, 100 items a transaction), and hold on all of them alike."""


class Position(msgspec.Struct, frozen=True, gc=False):
    """The end of a stream as it was loaded, to append after. Taken from a load, never made up.

    `Position.start` is the end of a stream that has no event yet.
    """

    stream_id: str
    version: int

    @classmethod
    def start(cls, stream_id: str) -> "Position":
        return cls(stream_id, 0)


class StreamAppend(msgspec.Struct, frozen=True, gc=False):
    """The events that a commit adds to one stream: a JSON array of `count` events."""

    after: Position
    events: str
    count: int


class PendingKey(msgspec.Struct, frozen=True, gc=False, order=True):
    """The name of a pending command: the stream, the version of the first event of the commit in
    that stream, and the place among the commit's follow-ups, from 0. Sorts in the order to run.

    As text, it is ``Order/42@1#0``; `parse` is the inverse.
    """

    stream_id: str
    version: int
    ordinal: int

    def __str__(self) -> str:
        return f"{self.stream_id}@{self.version}#{self.ordinal}"

    @classmethod
    def parse(cls, text: str) -> "PendingKey":
        """Raises `ValueError` for what is no such name."""
        stream_id, _, place = text.rpartition("@")
        version, _, ordinal = place.partition("#")
        if not (stream_id and version.isdecimal() and ordinal.isdecimal()):
            raise ValueError(f"{text!r} is not of the form Order/42@1#0")
        return cls(stream_id, int(version), int(ordinal))


class PendingCommand(msgspec.Struct, frozen=True, gc=False, tag="pending"):
    """A command that follows from an event, and is still to be handled: a token in the store that
    the commit which handles it consumes.

    Workers see it from `due_at` on; `attempts` counts the runs that have begun. It runs when no
    earlier one of its stream is open, unless `in_order` is false. Parked, it is a dead letter:
    nothing runs or consumes it, and it holds nothing back; `error` says why.
    """

    key: PendingKey
    command_id: str
    payload: str
    causation_id: str
    correlation_id: str
    attempts: int
    due_at: datetime
    in_order: bool = True
    parked_at: datetime | None = None
    error: str = ""


class Idempotency(msgspec.Struct, frozen=True, gc=False):
    """What makes a command from outside the same as one sent before: its `key`, given by a caller,
    within a `scope` such as the route and the caller. `fingerprint` tells requests apart that were
    given one key by mistake."""

    scope: str
    key: str
    fingerprint: str


class IdempotencyRecord(msgspec.Struct, frozen=True, gc=False, tag="idempotency"):
    """That the command of this key was handled, until `expires_at`: by the commit which stands in
    each of the streams right `after` these positions."""

    idempotency: Idempotency
    command_id: str
    after: tuple[Position, ...]
    expires_at: datetime


class Commit(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """All that one command makes true, together or not at all.

    `unchanged` are streams that were read and must not have moved; `consumes` is the pending
    command that this one was; `idempotency` says under which key it was handled. Raises `CommitTooLarge` when made, beyond the limits above.
    """

    command_id: str
    command: str
    correlation_id: str
    causation_id: str | None
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
        streams = len(self.appends) + len(self.unchanged)
        rows = streams + len(self.follow_ups)
        if size > MAX_COMMIT_BYTES:
            raise self._too_large(f"{size} bytes of events and follow-ups", MAX_COMMIT_BYTES)
        if streams > MAX_COMMIT_STREAMS:
            raise self._too_large(f"{streams} streams", MAX_COMMIT_STREAMS)
        if rows > MAX_COMMIT_ROWS:
            raise self._too_large(f"{rows} streams and follow-ups", MAX_COMMIT_ROWS)

    def _too_large(self, what: str, limit: int) -> CommitTooLarge:
        return CommitTooLarge(f"{self.command}: {what} in one commit, at most {limit}")


def _bytes(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode())


class RecordedEvent(msgspec.Struct, frozen=True, gc=False):
    """An event in the log, with when and why.

    `event_id` is ``stream_id@version``. `causation_id` is the id of the command that recorded it,
    `command` that command's name; `correlation_id` is shared by all that one message set in motion.
    """

    event: Event
    event_id: str
    stream_id: str
    version: int
    recorded_at: datetime
    causation_id: str
    correlation_id: str
    command: str = ""


class StoredCommit(msgspec.Struct, frozen=True, gc=False, tag="commit"):
    """What a store keeps of a commit in one stream. `version` is that of its first event."""

    stream_id: str
    version: int
    count: int
    events: str
    command_id: str
    command: str
    correlation_id: str
    causation_id: str | None
    recorded_at: datetime

    @classmethod
    def all_of(cls, commit: Commit) -> "list[StoredCommit]":
        """The commit, as it is kept in each of its streams."""
        return [
            cls(
                append.after.stream_id,
                append.after.version + 1,
                append.count,
                append.events,
                commit.command_id,
                commit.command,
                commit.correlation_id,
                commit.causation_id,
                commit.recorded_at,
            )
            for append in commit.appends
        ]

    def recorded(self, event: Event, offset: int) -> RecordedEvent:
        """The event at this place in the commit, from 0, as it stands in the log."""
        version = self.version + offset
        return RecordedEvent(
            event,
            f"{self.stream_id}@{version}",
            self.stream_id,
            version,
            self.recorded_at,
            self.command_id,
            self.correlation_id,
            self.command,
        )


class Snapshot(msgspec.Struct, frozen=True, gc=False):
    """The state of an aggregate at the end of a commit, as text: a cache of the fold.

    `fingerprint` names the code that made it; under another it means nothing.
    """

    stream_id: str
    version: int
    fingerprint: str
    state: str


class LoadedStream(msgspec.Struct, frozen=True):
    """A stream as it was at one moment: its end, the events of its commits in order, each commit's a
    JSON array, and its open follow-ups. Where a `snapshot` is given, the events are those after it."""

    position: Position
    events: list[str]
    pending: list[PendingCommand]
    snapshot: Snapshot | None = None


class FeedPage(msgspec.Struct, frozen=True):
    """Commits that follow a checkpoint, and the checkpoint after them. `more` says that asking
    again at once is worth it."""

    commits: list[StoredCommit]
    checkpoint: str
    more: bool


Stored = StoredCommit | PendingCommand | IdempotencyRecord
"""What a store holds that cannot be made again: the rest are caches and read models."""


class EventStore(Protocol):
    """The port. Safe for any number of threads; every adapter passes the one contract suite.

    Each call raises `StoreUnavailable` when the store does not answer in a bounded time.
    """

    @property
    def views(self) -> Views:
        """The read models, in the same store."""
        ...

    def load(self, stream_id: str, at: int | None = None, *, fingerprint: str = "") -> LoadedStream:
        """The whole stream, and what is open in it. With `at`, only the commits that begin at or
        before this version, and nothing that is open. With `fingerprint`, from the newest snapshot
        made under it on, if there is one."""
        ...

    def commits(
        self, stream_id: str, first: int = 1, last: int | None = None
    ) -> list[StoredCommit]:
        """The commits of a stream, in order: those that begin at the version `first` or later and,
        if it is given, at `last` or before."""
        ...

    def append(self, commit: Commit) -> None:
        """Make the commit true. The identical commit of a command from outside may be sent again:
        if it had been taken, this returns.

        Raises `DuplicateCommand` if the pending command it consumes is gone or parked, or if its
        idempotency key has been used (and had not expired when it was recorded),
        `ConcurrencyError` if a stream has moved on. After either, nothing was written.
        """
        ...

    def save_snapshot(self, snapshot: Snapshot) -> None:
        """Keep this snapshot in place of any other of its stream, unless one of the same
        fingerprint and a higher version is kept."""
        ...

    def handled(self, scope: str, key: str, now: datetime) -> IdempotencyRecord | None:
        """What is on record of this idempotency key, unless it has expired."""
        ...

    def pending(self, stream_id: str) -> list[PendingCommand]:
        """The open follow-ups of one stream, in order, as of now; not the parked ones."""
        ...

    def due(self, now: datetime, limit: int = 100) -> list[PendingKey]:
        """Names of follow-ups, of any stream, that are due: at most `limit`, the longest due first.
        A hint: some may be gone already, and one just written may be missing."""
        ...

    def claim(self, pending: PendingCommand, due_at: datetime) -> bool:
        """Count an attempt that is about to begin, and see to it that no other begins before
        `due_at`. False if the command is no longer as given: gone, parked, or claimed by another."""
        ...

    def park(self, pending: PendingCommand, at: datetime, error: str) -> bool:
        """Make it a dead letter, in place. False if it is no longer as given."""
        ...

    def parked(self, limit: int = 100) -> list[PendingCommand]:
        """Dead letters of any stream, at most `limit`, the longest parked first."""
        ...

    def replay(self, key: PendingKey, due_at: datetime) -> bool:
        """Open a dead letter again, out of order and with no attempt counted. False if there is
        none of this name."""
        ...

    def drop(self, key: PendingKey) -> bool:
        """Delete a dead letter. False if there is none of this name."""
        ...

    def feed(self, checkpoint: str | None = None, limit: int = 1000) -> FeedPage:
        """The commits of all streams after a checkpoint, about `limit` of them; from the beginning
        without one. Each stream's are in order. None is ever skipped; some may be given again."""
        ...

    def end(self) -> str:
        """The checkpoint of now: the feed after it gives what is committed from now on."""
        ...

    def size(self) -> int:
        """About how many commits there are: for showing progress."""
        ...

    def dump(self) -> Iterator[Stored]:
        """All that the store holds, of one moment where the store can do that: the commits in the
        order of the feed, the pending commands (parked ones too), the idempotency records."""
        ...

    def restore(self, batch: Sequence[Stored]) -> None:
        """Write what another store has dumped, in the order it came. Sent again, it changes nothing;
        it does not overwrite."""
        ...

    def ping(self) -> None:
        """Return if the store can be read."""
        ...

    def close(self) -> None:
        """Release what the adapter holds."""
        ...
