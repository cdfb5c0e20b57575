"""Commits to give to a store, and threads to give them at once."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from threading import Barrier
from typing import Any

from {{ cookiecutter.__package }}.bus import (
    Commit,
    EventStore,
    PendingCommand,
    PendingKey,
    Position,
    RandomIds,
    StoredCommit,
    StoreError,
    StreamAppend,
)

NOW = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
THREADS = 16


def events(*texts: str) -> str:
    return json.dumps([{"$type": "Noted", "text": text} for text in texts])


def append(after: Position, *texts: str) -> StreamAppend:
    return StreamAppend(after, events(*texts or ("a",)), len(texts) or 1)


def commit(*appends: StreamAppend, **fields: Any) -> Commit:
    """A commit of a new command, unless `command_id` is given."""
    command_id = fields.pop("command_id", None) or RandomIds().new_id()
    return Commit(
        command_id=command_id,
        command="Note",
        correlation_id=f"correlation of {command_id}",
        causation_id=fields.pop("causation_id", None),
        recorded_at=fields.pop("recorded_at", NOW),
        appends=appends,
        **fields,
    )


def follow_up(stream_id: str, version: int, ordinal: int = 0, **fields: Any) -> PendingCommand:
    return PendingCommand(
        PendingKey(stream_id, version, ordinal),
        fields.pop("command_id", f"follow-up {version}.{ordinal}"),
        '[{"$type":"Note","text":"é"}]',
        f"{stream_id}@{version}",
        "the correlation",
        1,
        fields.pop("due_at", NOW),
    )


def all_at_once(run: Callable[[int], Any], threads: int = THREADS) -> list[Any]:
    """What `run(0)`, `run(1)`, ... return or raise as a `StoreError`, started together."""
    barrier = Barrier(threads)

    def one(number: int) -> Any:
        barrier.wait()
        try:
            return run(number)
        except StoreError as error:
            return error

    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(one, range(threads)))


def drain(store: EventStore, checkpoint: str | None = None) -> tuple[list[StoredCommit], str]:
    """All that the feed has after this checkpoint, and the checkpoint after it."""
    commits: list[StoredCommit] = []
    while True:
        page = store.feed(checkpoint)
        commits += page.commits
        checkpoint = page.checkpoint
        if not page.more:
            return commits, checkpoint
