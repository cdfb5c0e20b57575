"""The event store in memory: for tests, and for trying things out. Gone with the process."""

from datetime import datetime
from threading import Lock

from ...bus.errors import ConcurrencyError, DuplicateCommand
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


class MemoryEventStore:
    """Dictionaries behind one lock."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._streams: dict[str, list[StoredCommit]] = {}
        self._pending: dict[str, dict[PendingKey, PendingCommand]] = {}

    def load(self, stream_id: str, at: int | None = None) -> LoadedStream:
        with self._lock:
            commits = self._streams.get(stream_id, [])
            if at is not None:
                commits = [commit for commit in commits if commit.version <= at]
                return LoadedStream(_end(stream_id, commits), commits, [])
            return LoadedStream(_end(stream_id, commits), commits[:], self._open(stream_id))

    def append(self, commit: Commit) -> None:
        with self._lock:
            consumes = commit.consumes
            if consumes and consumes not in self._pending.get(consumes.stream_id, ()):
                raise DuplicateCommand(commit.command, commit.command_id)
            moved = [
                position.stream_id
                for position in (*(append.after for append in commit.appends), *commit.unchanged)
                if position != _end(position.stream_id, self._streams.get(position.stream_id, []))
            ]
            if moved and self._has(commit):
                return
            if moved:
                raise ConcurrencyError(*moved)
            for stored in StoredCommit.all_of(commit):
                self._streams.setdefault(stored.stream_id, []).append(stored)
            if consumes:
                del self._pending[consumes.stream_id][consumes]
            for pending in commit.follow_ups:
                self._pending.setdefault(pending.key.stream_id, {})[pending.key] = pending

    def pending(self, stream_id: str) -> list[PendingCommand]:
        with self._lock:
            return self._open(stream_id)

    def due(self, now: datetime, limit: int = 100) -> list[PendingKey]:
        with self._lock:
            pending = [pending for rows in self._pending.values() for pending in rows.values()]
        due = sorted((row.due_at, row.key) for row in pending if row.due_at <= now)
        return [key for _, key in due[:limit]]

    def ping(self) -> None:
        return None

    def close(self) -> None:
        return None

    def _open(self, stream_id: str) -> list[PendingCommand]:
        rows = self._pending.get(stream_id, {})
        return sorted(rows.values(), key=lambda row: row.key)

    def _has(self, commit: Commit) -> bool:
        """Whether this very commit was taken before: its first events stand where it puts them."""
        return any(
            stored.version == append.after.version + 1 and stored.command_id == commit.command_id
            for append in commit.appends
            for stored in self._streams.get(append.after.stream_id, ())
        )


def _end(stream_id: str, commits: list[StoredCommit]) -> Position:
    if not commits:
        return Position.start(stream_id)
    return Position(stream_id, commits[-1].version + commits[-1].count - 1)


def open_store(_settings: Settings) -> EventStore:
    """A new, empty store."""
    return MemoryEventStore()
