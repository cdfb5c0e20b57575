"""The public form of a time, an event and an outcome, the same at every entry point."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
from pydantic import Field

from ..bus import Outcome, RecordedEvent

MOST_EVENTS, MOST_BYTES = 1000, 4_000_000
"""The limits of a page of a history."""

After = Annotated[int, Field(ge=0)]
Limit = Annotated[int, Field(ge=1, le=MOST_EVENTS)]


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
class HistoryPage:
    """A part of what happened, in order. `next` is the version to go on `after`, null at the
    end."""

    events: list[HistoryEntry]
    next: int | None


def history_page(
    recorded: Sequence[RecordedEvent], after: int, limit: int = MOST_EVENTS
) -> HistoryPage:
    """The events after this version: at most `limit` of them, and 4 MB."""
    left = [each for each in recorded if each.version > after]
    entries: list[HistoryEntry] = []
    size = 0
    for each in left[:limit]:
        entry = history_entry(each)
        size += _size(entry)
        if entries and size > MOST_BYTES:
            break
        entries.append(entry)
    is_last = len(entries) == len(left)
    return HistoryPage(events=entries, next=None if is_last else entries[-1].version)


def _size(entry: HistoryEntry) -> int:
    """In bytes, as JSON within a text of JSON: some gateways are handed an answer in that form, and
    limit its size."""
    return len(json.dumps(msgspec.json.encode(entry).decode()))


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
