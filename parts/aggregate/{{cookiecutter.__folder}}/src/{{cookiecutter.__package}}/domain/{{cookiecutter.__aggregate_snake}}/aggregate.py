"""The {{ cookiecutter.__aggregate_words }}: its rules, and its state as a fold over its events."""

from typing import Any, Literal, Self

from ...bus import Aggregate, applies
from . import errors, events

Status = Literal["open", "closed"]


class {{ cookiecutter.__aggregate }}(Aggregate):
    """Open, until it is closed."""

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

    def close(self, reason: str) -> None:
        """End it, once."""
        if self.status == "closed":
            raise errors.{{ cookiecutter.__aggregate }}IsClosed(self.id)
        self.record(
            events.{{ cookiecutter.__aggregate }}Closed(
                {{ cookiecutter.__aggregate_snake }}_id=self.id,
                reason=reason,
            )
        )

    @applies(events.{{ cookiecutter.__aggregate }}Created)
    def _created(self, event: events.{{ cookiecutter.__aggregate }}Created) -> None:
        self.status = "open"
        self.data = event.data

    @applies(events.{{ cookiecutter.__aggregate }}Closed)
    def _closed(self, _event: events.{{ cookiecutter.__aggregate }}Closed) -> None:
        self.status = "closed"
