"""Makes commits for the tests of a store."""

import json
from datetime import UTC, datetime
from typing import Any

from {{ cookiecutter.__package }}.bus import (
    Commit,
    Context,
    EventStore,
    PendingCommand,
    PendingKey,
    Position,
    RandomIds,
    StoredCommit,
    StreamAppend,
)

NOW = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)


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
        context=fields.pop("context", None) or Context(f"correlation of {command_id}"),
        recorded_at=fields.pop("recorded_at", NOW),
        appends=appends,
        **fields,
    )


def follow_up(stream_id: str, version: int, ordinal: int = 0, **fields: Any) -> PendingCommand:
    return PendingCommand(
        PendingKey(stream_id, version, ordinal),
        fields.pop("command_id", f"follow-up {version}.{ordinal}"),
        '[{"$type":"Note","text":"é"}]',
        Context("the correlation", f"{stream_id}@{version}", depth=1),
        1,
        fields.pop("due_at", NOW),
        **fields,
    )


def drain(store: EventStore, checkpoint: str | None = None) -> tuple[list[StoredCommit], str]:
    """All commits that the feed gives after this checkpoint, and the checkpoint after them."""
    commits: list[StoredCommit] = []
    while True:
        page = store.feed(checkpoint)
        commits += page.commits
        checkpoint = page.checkpoint
        if not page.more:
            return commits, checkpoint
