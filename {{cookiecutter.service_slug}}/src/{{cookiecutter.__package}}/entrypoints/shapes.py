"""The public form of an id, a state and an event, the same at every entry point."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec

from ..bus import Outcome, RecordedEvent
from ..domain.{{ cookiecutter.__aggregate_snake }} import aggregate
from ..service.{{ cookiecutter.__aggregate_snake }} import projections, queries


@dataclass(frozen=True, kw_only=True)
class {{ cookiecutter.__aggregate }}State:
    """One {{ cookiecutter.__aggregate_words }}, as of `version`."""

    {{ cookiecutter.__aggregate_snake }}_id: str
    status: aggregate.Status
    version: int
    data: dict[str, Any]
    location: str | None


def state(view: queries.{{ cookiecutter.__aggregate }}View) -> {{ cookiecutter.__aggregate }}State:
    """The answer of the query, under its public names."""
    return {{ cookiecutter.__aggregate }}State(
        {{ cookiecutter.__aggregate_snake }}_id=view.id,
        status=view.status,
        version=view.version,
        data=view.data,
        location=view.location,
    )


@dataclass(frozen=True, kw_only=True)
class {{ cookiecutter.__aggregate }}Item:
    """One {{ cookiecutter.__aggregate_words }} in a list. `created_at` is ISO 8601 in UTC."""

    {{ cookiecutter.__aggregate_snake }}_id: str
    status: aggregate.Status
    version: int
    created_at: str
    location: str | None


def item(row: projections.{{ cookiecutter.__aggregate }}Row) -> {{ cookiecutter.__aggregate }}Item:
    """A row of the read model, under its public names."""
    return {{ cookiecutter.__aggregate }}Item(
        {{ cookiecutter.__aggregate_snake }}_id=row.id,
        status=row.status,
        version=row.version,
        created_at=utc(row.created_at),
        location=row.location,
    )


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
