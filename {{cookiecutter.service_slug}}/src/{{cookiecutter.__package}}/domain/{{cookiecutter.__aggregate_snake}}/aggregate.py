"""The {{ cookiecutter.__aggregate_words }}: its rules, and its state as a fold over its events."""

from typing import Any, Literal, Self

from ...bus import Aggregate, applies
from . import errors, events

Status = Literal["created", "processed", "archived", "failed"]


class {{ cookiecutter.__aggregate }}(Aggregate):
    """Created, then processed or failed; what was processed is archived."""

    status: Status
    data: dict[str, Any]
    result: dict[str, Any]
    location: str | None = None

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

    def process(self) -> None:
        """Do the work. This is where your business logic goes: the example notes which fields
        came, and fails when the data says so: `{"fail": "<reason>"}`."""
        if self.status != "created":
            raise errors.AlreadyProcessed(self.id)
        if "fail" in self.data:
            self.record(
                events.{{ cookiecutter.__aggregate }}Failed(
                    {{ cookiecutter.__aggregate_snake }}_id=self.id,
                    reason=str(self.data["fail"]),
                )
            )
        else:
            self.record(
                events.{{ cookiecutter.__aggregate }}Processed(
                    {{ cookiecutter.__aggregate_snake }}_id=self.id,
                    result={"fields": sorted(self.data)},
                )
            )

    def to_archive(self) -> dict[str, Any]:
        """What the archive is to hold."""
        if self.status != "processed":
            raise errors.NotProcessed(self.id)
        return {"id": self.id, "data": self.data, "result": self.result}

    def archived(self, location: str) -> None:
        """What `to_archive` gave has been written there."""
        self.record(
            events.{{ cookiecutter.__aggregate }}Archived(
                {{ cookiecutter.__aggregate_snake }}_id=self.id,
                location=location,
            )
        )

    @applies(events.{{ cookiecutter.__aggregate }}Created)
    def _created(self, event: events.{{ cookiecutter.__aggregate }}Created) -> None:
        self.status = "created"
        self.data = event.data

    @applies(events.{{ cookiecutter.__aggregate }}Processed)
    def _processed(self, event: events.{{ cookiecutter.__aggregate }}Processed) -> None:
        self.status = "processed"
        self.result = event.result

    @applies(events.{{ cookiecutter.__aggregate }}Failed)
    def _failed(self, _event: events.{{ cookiecutter.__aggregate }}Failed) -> None:
        self.status = "failed"

    @applies(events.{{ cookiecutter.__aggregate }}Archived)
    def _archived(self, event: events.{{ cookiecutter.__aggregate }}Archived) -> None:
        self.status = "archived"
        self.location = event.location
