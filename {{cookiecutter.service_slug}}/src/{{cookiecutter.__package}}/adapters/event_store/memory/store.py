"""The log in memory: dictionaries behind one lock."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import islice
from threading import Lock
from typing import Any

import msgspec

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
from .. import PENDING_READ, both_ends
from .views import MemoryViews


class MemoryEventStore:
    """Implements the whole port in memory. The data ends with the process."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._log: list[StoredCommit] = []
        self._streams: dict[str, list[StoredCommit]] = {}
        self._pending: dict[str, dict[PendingKey, PendingCommand]] = {}
        self._snapshots: dict[str, Snapshot] = {}
        self._handled: dict[tuple[str, str], IdempotencyRecord] = {}
        self.views = MemoryViews()

    def load(self, stream_id: str, at: int | None = None, *, fingerprint: str = "") -> LoadedStream:
        with self._lock:
            commits = self._streams.get(stream_id, [])
            if at is not None:
                commits = [commit for commit in commits if commit.version <= at]
                return LoadedStream(Position(stream_id, _end(commits)), _texts(commits), [])
            end, snapshot = Position(stream_id, _end(commits)), self._snapshots.get(stream_id)
            read = list(islice(self._pending.get(stream_id, {}).values(), PENDING_READ))
            pending, more = _open(read), len(read) == PENDING_READ
            if snapshot is None or snapshot.fingerprint != fingerprint:
                return LoadedStream(end, _texts(commits), pending, more=more)
            tail = [commit for commit in commits if commit.version > snapshot.version]
            return LoadedStream(end, _texts(tail), pending, snapshot, more)

    def commits(
        self, stream_id: str, first: int = 1, last: int | None = None
    ) -> list[StoredCommit]:
        with self._lock:
            commits = self._streams.get(stream_id, [])
            return [
                commit
                for commit in commits
                if commit.version >= first and (last is None or commit.version <= last)
            ]

    def append(self, commit: Commit) -> None:
        with self._lock:
            consumes = commit.consumes
            if consumes and not self._is_open(consumes):
                raise DuplicateCommand(commit.command, commit.command_id)
            if commit.idempotency and self._was_handled(commit.idempotency, commit.recorded_at):
                raise DuplicateCommand(commit.command, commit.command_id)
            positions = [append.after for append in commit.appends]
            moved = [
                position.stream_id
                for position in (*positions, *commit.unchanged)
                if position.version != self._head(position.stream_id)
            ]
            if moved and self._has(commit):
                return
            if moved:
                raise ConcurrencyError(*moved)
            for stored in StoredCommit.all_of(commit):
                self._add(stored)
            if consumes:
                self._remove(consumes)
            for pending in commit.follow_ups:
                self._insert(pending)
            if commit.idempotency:
                self._handled[_name(commit.idempotency)] = commit.idempotency

    def save_snapshot(self, snapshot: Snapshot) -> None:
        with self._lock:
            kept = self._snapshots.get(snapshot.stream_id)
            if kept and kept.fingerprint == snapshot.fingerprint:
                snapshot = max(kept, snapshot, key=lambda each: each.version)
            self._snapshots[snapshot.stream_id] = snapshot

    def handled(self, scope: str, key: str, now: datetime) -> IdempotencyRecord | None:
        with self._lock:
            record = self._handled.get((scope, key))
            return record if record and record.expires_at > now else None

    def pending(self, stream_id: str) -> list[PendingCommand]:
        with self._lock:
            return _open(self._pending.get(stream_id, {}).values())

    def is_held_back(self, key: PendingKey) -> bool:
        with self._lock:
            rows = self._pending.get(key.stream_id, {}).values()
            return any(row.key < key and row.in_order and row.parked_at is None for row in rows)

    def due(self, now: datetime, limit: int = 100, part: int | None = None) -> list[str]:
        with self._lock:
            firsts = [
                (due_since, stream_id)
                for stream_id, rows in self._pending.items()
                if part in (None, part_of(stream_id)) and (due_since := _due_since(rows, now))
            ]
        return [stream_id for _, stream_id in both_ends(sorted(firsts), limit)]

    def waiting(self, until: datetime, limit: int = 100) -> list[PendingKey]:
        with self._lock:
            rows = [row for row in self._rows() if row.parked_at is None and row.due_at <= until]
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
            self._remove(key)
            return True

    def feed(self, checkpoint: str | None = None, limit: int = 1000) -> FeedPage:
        start = int(checkpoint or 0)
        with self._lock:
            commits = self._log[start : start + limit]
        return FeedPage(commits, str(start + len(commits)), len(commits) == limit)

    def end(self) -> str:
        return str(len(self._log))

    def visible(self, checkpoint: str | None = None, limit: int = 1000) -> FeedPage:
        return self.feed(checkpoint, limit)

    def holders(self) -> list[str]:
        return []

    def size(self) -> int:
        return len(self._log)

    def correlated(self, correlation_id: str, progress: Progress) -> Iterable[StoredCommit]:
        with self._lock:
            commits = list(self._log)
        progress(len(commits), len(commits))
        return [each for each in commits if each.context.correlation_id == correlation_id]

    def dump(self) -> Iterator[Stored]:
        with self._lock:
            stored: list[Stored] = [*self._log, *self._rows(), *self._handled.values()]
        return iter(stored)

    def restore(self, batch: Sequence[Stored]) -> None:
        with self._lock:
            for stored in batch:
                self._insert(stored)

    def ping(self) -> None:
        return None

    def close(self) -> None:
        return None

    def _insert(self, stored: Stored) -> None:
        """Store it, unless it is stored already."""
        match stored:
            case StoredCommit():
                if self._head(stored.stream_id) < stored.version:
                    self._add(stored)
            case PendingCommand():
                self._pending.setdefault(stored.key.stream_id, {}).setdefault(stored.key, stored)
            case IdempotencyRecord():
                self._handled.setdefault(_name(stored), stored)

    def _remove(self, key: PendingKey) -> None:
        rows = self._pending[key.stream_id]
        del rows[key]
        if not rows:  # otherwise `due` would go through every stream that ever had a row
            del self._pending[key.stream_id]

    def _add(self, stored: StoredCommit) -> None:
        self._streams.setdefault(stored.stream_id, []).append(stored)
        self._log.append(stored)

    def _head(self, stream_id: str) -> int:
        return _end(self._streams.get(stream_id, []))

    def _was_handled(self, record: IdempotencyRecord, now: datetime) -> bool:
        kept = self._handled.get(_name(record))
        return kept is not None and kept.expires_at > now

    def _is_open(self, key: PendingKey) -> bool:
        row = self._pending.get(key.stream_id, {}).get(key)
        return row is not None and row.parked_at is None

    def _rows(self) -> list[PendingCommand]:
        return [row for rows in self._pending.values() for row in rows.values()]

    def _change(self, pending: PendingCommand, **changes: Any) -> bool:
        """Compare-and-set: change a row, if it is still as given."""
        with self._lock:
            key = pending.key
            if not self._is_open(key) or self._pending[key.stream_id][key] != pending:
                return False
            self._pending[key.stream_id][key] = msgspec.structs.replace(pending, **changes)
            return True

    def _has(self, commit: Commit) -> bool:
        """Whether this very commit was written before: its command id is at the version it
        writes."""
        return any(
            stored.version == append.after.version + 1 and stored.command_id == commit.command_id
            for append in commit.appends
            for stored in self._streams.get(append.after.stream_id, ())
        )


def _due_since(rows: dict[PendingKey, PendingCommand], now: datetime) -> datetime | None:
    """Since when a stream has a command that may run now: of those in order, only the first may."""
    due: list[datetime] = []
    first: PendingCommand | None = None
    for key, row in rows.items():
        if row.parked_at is None:
            if not row.in_order:
                due.append(row.due_at)
            elif first is None or key < first.key:
                first = row
    if first:
        due.append(first.due_at)
    return min([each for each in due if each <= now], default=None)


def _open(rows: Iterable[PendingCommand]) -> list[PendingCommand]:
    return sorted([row for row in rows if row.parked_at is None], key=lambda row: row.key)


def _end(commits: list[StoredCommit]) -> int:
    return commits[-1].version + commits[-1].count - 1 if commits else 0


def _texts(commits: list[StoredCommit]) -> list[str]:
    return [commit.events for commit in commits]


def _name(record: IdempotencyRecord) -> tuple[str, str]:
    return (record.idempotency.scope, record.idempotency.key)
