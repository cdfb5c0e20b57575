"""How every listing shows an event."""

import json
from dataclasses import asdict
from typing import Any

from ...bus import RecordedEvent, operations
from .. import shapes

HEADER = ("recorded at", "command → event", "data")
MAX_DATA = 80


def entry(listed: operations.Listed) -> dict[str, Any]:
    """An event as the HTTP API shows it. An event that this code does not know has `known` as well,
    which is false."""
    if isinstance(listed, RecordedEvent):
        return asdict(shapes.history_entry(listed))
    shown = shapes.HistoryEntry(
        type=listed.event.name,
        event_id=listed.event_id,
        version=listed.version,
        recorded_at=shapes.utc(listed.recorded_at),
        causation_id=listed.causation_id,
        correlation_id=listed.context.correlation_id,
        actor=listed.context.actor,
        data=listed.event.fields,
    )
    return {**asdict(shown), "known": False}


def with_command(listed: operations.Listed) -> dict[str, Any]:
    """The same, with the name of the command that recorded it."""
    return {**entry(listed), "command": listed.command}


def with_stream(listed: operations.Listed) -> dict[str, Any]:
    """The same, with the id of its stream."""
    return {"stream_id": listed.stream_id, **entry(listed)}


def cells(listed: operations.Listed) -> tuple[str, str, str]:
    """A row of a table, the data shortened."""
    shown = entry(listed)
    name = shown["type"] if isinstance(listed, RecordedEvent) else f"{shown['type']} (unknown)"
    data = json.dumps(shown["data"], ensure_ascii=False)
    shortened = data if len(data) <= MAX_DATA else data[: MAX_DATA - 1] + "…"
    return shown["recorded_at"], f"{listed.command} → {name}", shortened
