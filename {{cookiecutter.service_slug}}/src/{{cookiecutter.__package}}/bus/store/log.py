"""The log: the port to the streams of events, and to the feed of all commits."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any, Protocol

import msgspec

from .commit import Commit, StoredCommit
from .idempotency import IdempotencyRecord
from .stream import LoadedStream, Snapshot

Progress = Callable[[int, int], None]
"""A callback that is given how much is done, and an estimate of the total."""


class FeedPage(msgspec.Struct, frozen=True):
    """A page of the feed: the commits after a checkpoint, and the checkpoint after them. `more` is
    true if the caller should ask for the next page at once."""

    commits: list[StoredCommit]
    checkpoint: str
    more: bool


class PushedFeed(Protocol):
    """A store that also pushes its feed: it invokes a function with the records of its writes."""

    def commits_in(self, records: Sequence[Any]) -> list[StoredCommit]:
        """The commits among these records, without the other writes."""
        ...


class Log(Protocol):
    """The port. A store moves text: it knows streams, commits and pending commands, but no message
    type. `append` is the only call that writes events."""

    def load(self, stream_id: str, at: int | None = None, *, fingerprint: str = "") -> LoadedStream:
        """Load the whole stream and its open pending commands, or some of them if there are very
        many.

        With `at`: only the commits whose first event has this version or a lower one, and no
        pending commands. With `fingerprint`: the newest snapshot that has this fingerprint, if
        there is one, and only the commits after it.
        """
        ...

    def commits(
        self, stream_id: str, first: int = 1, last: int | None = None
    ) -> list[StoredCommit]:
        """The commits of a stream, in order, whose first event has the version `first` or a higher
        one and, if `last` is given, the version `last` or a lower one."""
        ...

    def append(self, commit: Commit) -> None:
        """Write the commit atomically, if all its streams still have the versions that it expects.

        The identical commit of a command from outside may be sent again: if it was written before,
        this returns.

        Raises `DuplicateCommand` if the pending command it consumes is gone or parked, or if its
        idempotency key is used (and had not expired at `recorded_at`). Raises `ConcurrencyError` if
        a stream has changed. After either error, nothing was written.
        """
        ...

    def save_snapshot(self, snapshot: Snapshot) -> None:
        """Store this snapshot in place of any other of its stream, unless the stored one has the
        same fingerprint and a higher version."""
        ...

    def handled(self, scope: str, key: str, now: datetime) -> IdempotencyRecord | None:
        """The record of this idempotency key, unless it has expired."""
        ...

    def feed(self, checkpoint: str | None = None, limit: int = 1000) -> FeedPage:
        """The commits of all streams after a checkpoint, about `limit` of them; from the beginning
        if it is None. The commits of one stream come in order. The feed never skips a commit; it
        may give one again."""
        ...

    def visible(self, checkpoint: str | None = None, limit: int = 1000) -> FeedPage:
        """All commits that can be read after a checkpoint, as `feed` gives them, and with those
        that it holds back for now, because an earlier one may still appear. So its checkpoint is
        for asking `visible` again, and never kept."""
        ...

    def end(self) -> str:
        """The checkpoint of the present moment: the feed after it gives only later commits, and
        those that it holds back for now."""
        ...

    def holders(self) -> list[str]:
        """Who holds the feed back for longer than a moment, in words. Always empty on a store whose
        feed waits for nobody."""
        ...

    def size(self) -> int:
        """About how many commits there are, for showing progress."""
        ...

    def correlated(self, correlation_id: str, progress: Progress) -> Iterable[StoredCommit]:
        """All commits with this correlation id, in order within each stream. `progress` shows how
        far the search is, on a store that has no index for it."""
        ...
