"""What the outside sees of an id, a state and an event, whichever entry point it asks."""

import re
from dataclasses import dataclass
from datetime import UTC
from typing import Any

import msgspec

from ..bus import RecordedEvent
from ..domain.{{ cookiecutter.__aggregate_snake }} import aggregate
from ..service.{{ cookiecutter.__aggregate_snake }} import queries

ID_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$"


def is_id(text: str) -> bool:
    """Whether this could be an id at all: what could not, is the id of nothing."""
    return re.fullmatch(ID_PATTERN, text) is not None and not text.endswith("\n")


@dataclass(frozen=True, kw_only=True)
class {{ cookiecutter.__aggregate }}State:
    """One {{ cookiecutter.__aggregate_words }}, as of `version`."""

    {{ cookiecutter.__aggregate_snake }}_id: str
    status: aggregate.Status
    version: int
    data: dict[str, Any]
    location: str | None


def state(view: queries.{{ cookiecutter.__aggregate }}View) -> {{ cookiecutter.__aggregate }}State:
    """The answer of the query, under the names that the outside knows."""
    return {{ cookiecutter.__aggregate }}State(
        {{ cookiecutter.__aggregate_snake }}_id=view.id,
        status=view.status,
        version=view.version,
        data=view.data,
        location=view.location,
    )


@dataclass(frozen=True, kw_only=True)
class HistoryEntry:
    """An event, with when and why. `recorded_at` is ISO 8601 in UTC."""

    type: str
    event_id: str
    version: int
    recorded_at: str
    causation_id: str
    correlation_id: str
    data: dict[str, Any]


def history_entry(recorded: RecordedEvent) -> HistoryEntry:
    """The event, its fields as `data`."""
    data: dict[str, Any] = msgspec.to_builtins(recorded.event)
    del data["$type"]
    return HistoryEntry(
        type=recorded.event.message_name,
        event_id=recorded.event_id,
        version=recorded.version,
        recorded_at=recorded.recorded_at.astimezone(UTC).isoformat(timespec="microseconds"),
        causation_id=recorded.causation_id,
        correlation_id=recorded.correlation_id,
        data=data,
    )
