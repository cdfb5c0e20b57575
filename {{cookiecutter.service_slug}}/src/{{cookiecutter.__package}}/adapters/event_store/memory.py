"""The event store in memory: for tests, and for trying things out. Gone with the process."""

from datetime import datetime
from threading import Lock
from typing import Any

import msgspec

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
            if consumes and not self._is_open(consumes):
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
            rows = [row for row in self._rows() if row.parked_at is None and row.due_at <= now]
        return [row.key for row in sorted(rows, key=lambda row: (row.due_at, row.key))[:limit]]

    def claim(self, pending: PendingCommand, due_at: datetime) -> bool:
        return self._change(pending, attempts=pending.attempts + 1, due_at=due_at)

    def park(self, pending: PendingCommand, at: datetime, error: str) -> bool:
        return self._change(pending, parked_at=at, error=error)

    def parked(self, limit: int = 100) -> list[PendingCommand]:
        with self._lock:
            rows = [(row.parked_at, row.key, row) for row in self._rows() if row.parked_at]
        return [row for _, _, row in sorted(rows)[:limit]]

    def replay(self, key: PendingKey, due_at: datetime) -> bool:
        with self._lock:
            row = self._pending.get(key.stream_id, {}).get(key)
            if row is None or row.parked_at is None:
                return False
            self._pending[key.stream_id][key] = msgspec.structs.replace(
                row, attempts=0, due_at=due_at, in_order=False, parked_at=None, error=""
            )
            return True

    def drop(self, key: PendingKey) -> bool:
        with self._lock:
            row = self._pending.get(key.stream_id, {}).get(key)
            if row is None or row.parked_at is None:
                return False
            del self._pending[key.stream_id][key]
            return True

    def ping(self) -> None:
        return None

    def close(self) -> None:
        return None

    def _open(self, stream_id: str) -> list[PendingCommand]:
        rows = self._pending.get(stream_id, {}).values()
        return sorted([row for row in rows if row.parked_at is None], key=lambda row: row.key)

    def _is_open(self, key: PendingKey) -> bool:
        row = self._pending.get(key.stream_id, {}).get(key)
        return row is not None and row.parked_at is None

    def _rows(self) -> list[PendingCommand]:
        return [row for rows in self._pending.values() for row in rows.values()]

    def _change(self, pending: PendingCommand, **changes: Any) -> bool:
        """Change a row, if it is as given."""
        with self._lock:
            key = pending.key
            if not self._is_open(key) or self._pending[key.stream_id][key] != pending:
                return False
            self._pending[key.stream_id][key] = msgspec.structs.replace(pending, **changes)
            return True

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
