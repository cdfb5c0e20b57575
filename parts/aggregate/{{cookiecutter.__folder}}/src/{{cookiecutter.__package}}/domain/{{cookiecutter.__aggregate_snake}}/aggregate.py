"""The {{ cookiecutter.__aggregate_words }}: its rules, and its state as a fold over its events."""

from typing import Any, Literal, Self

from ...bus import Aggregate, applies
from . import events

Status = Literal["created"]


class {{ cookiecutter.__aggregate }}(Aggregate):
    """Created, with any data: whatever JSON object its creator sends."""

    status: Status
    data: dict[str, Any]

    @classmethod
    def create(cls, aggregate_id: str, data: dict[str, Any]) -> Self:
        """A new one, with the data it came with."""
        new = cls(aggregate_id)
        new.record(
            events.{{ cookiecutter.__aggregate }}Created(
                {{ cookiecutter.__aggregate_snake }}_id=aggregate_id,
                data=data,
            )
        )
        return new

    @applies(events.{{ cookiecutter.__aggregate }}Created)
    def _created(self, event: events.{{ cookiecutter.__aggregate }}Created) -> None:
        self.status = "created"
        self.data = event.data
