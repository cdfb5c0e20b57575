"""The log: the port to the streams of events, and to the feed of all of them."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any, Protocol

import msgspec

from .commit import Commit, StoredCommit
from .idempotency import IdempotencyRecord
from .stream import LoadedStream, Snapshot

Progress = Callable[[int, int], None]
"""Is told how much is done, and of about how much."""


class FeedPage(msgspec.Struct, frozen=True):
    """Commits that follow a checkpoint, and the checkpoint after them. `more` says that asking
    again at once is worth it."""

    commits: list[StoredCommit]
    checkpoint: str
    more: bool


class PushedFeed(Protocol):
    """A store that also pushes its feed: it invokes a function with what was written to it."""

    def commits_in(self, records: Sequence[Any]) -> list[StoredCommit]:
        """The commits among these records."""
        ...


class Log(Protocol):
    """The port. A store moves text: it knows streams, commits and pending commands, and no message
    type. `append` is the only call that writes events."""

    def load(self, stream_id: str, at: int | None = None, *, fingerprint: str = "") -> LoadedStream:
        """The whole stream, and what is open in it. With `at`, only the commits that begin at or
        before this version, and nothing that is open. With `fingerprint`, what follows the newest
        snapshot that was made under it, if there is one."""
        ...

    def commits(
        self, stream_id: str, first: int = 1, last: int | None = None
    ) -> list[StoredCommit]:
        """The commits of a stream, in order: those that begin at the version `first` or later and,
        if it is given, at `last` or before."""
        ...

    def append(self, commit: Commit) -> None:
        """Make the commit true. The identical commit of a command from outside may be sent again:
        if it was taken before, this returns.

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
        """The record of this idempotency key, unless it has expired."""
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

    def correlated(self, correlation_id: str, progress: Progress) -> Iterable[StoredCommit]:
        """All commits of this correlation id, each stream's in order. `progress` is told how far the
        search is, where the store has no index for it."""
        ...
