"""The public form of a time, an event and an outcome, the same at every entry point."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec

from ..bus import Outcome, RecordedEvent


def utc(moment: datetime) -> str:
    """ISO 8601 in UTC, with microseconds."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


@dataclass(frozen=True, kw_only=True)
class HistoryEntry:
    """An event, with when, why and by whom. `recorded_at` is ISO 8601 in UTC."""

    type: str
    event_id: str
    version: int
    recorded_at: str
    causation_id: str
    correlation_id: str
    actor: str
    data: dict[str, Any]


def history_entry(recorded: RecordedEvent) -> HistoryEntry:
    """The event, its fields as `data`."""
    data: dict[str, Any] = msgspec.to_builtins(recorded.event)
    del data["$type"]
    return HistoryEntry(
        type=recorded.event.message_name,
        event_id=recorded.event_id,
        version=recorded.version,
        recorded_at=utc(recorded.recorded_at),
        causation_id=recorded.causation_id,
        correlation_id=recorded.correlation_id,
        actor=recorded.context.actor,
        data=data,
    )


@dataclass(frozen=True, kw_only=True)
class Taken:
    """What became of a command at once: the events that it recorded. `replayed` says that it had
    been sent before, and this is the answer of then."""

    replayed: bool
    events: list[HistoryEntry]


def taken(outcome: Outcome) -> Taken:
    """The outcome of a command."""
    return Taken(
        replayed=outcome.replayed,
        events=[history_entry(recorded) for recorded in outcome.events],
    )
