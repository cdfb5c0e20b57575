"""The read models: rows for lists, folded from the events of each aggregate."""

from datetime import datetime
from typing import get_args

import msgspec

from ...bus import Projection, RecordedEvent
from ...domain.{{ cookiecutter.__aggregate_snake }} import aggregate, events


class {{ cookiecutter.__aggregate }}Row(msgspec.Struct, frozen=True):
    """One of them, as lists show it."""

    id: str
    status: aggregate.Status
    version: int
    created_at: datetime


class {{ cookiecutter.__aggregate }}List(
    Projection[{{ cookiecutter.__aggregate }}Row],
    of=aggregate.{{ cookiecutter.__aggregate }},
    labels=get_args(aggregate.Status),
    name="{{ cookiecutter.__plural_snake }}",
):
    """All of them, newest first, by status."""

    def apply(
        self,
        row: {{ cookiecutter.__aggregate }}Row | None,
        recorded: RecordedEvent,
    ) -> {{ cookiecutter.__aggregate }}Row | None:
        event, version = recorded.event, recorded.version
        if isinstance(event, events.{{ cookiecutter.__aggregate }}Created):
            return {{ cookiecutter.__aggregate }}Row(
                event.{{ cookiecutter.__aggregate_snake }}_id,
                "created",
                version,
                recorded.recorded_at,
            )
        if row is None:
            return None
        return msgspec.structs.replace(row, version=version)

    def label(self, row: {{ cookiecutter.__aggregate }}Row) -> str:
        return row.status

    def sort(self, row: {{ cookiecutter.__aggregate }}Row) -> str:
        return row.created_at.isoformat(timespec="microseconds")
