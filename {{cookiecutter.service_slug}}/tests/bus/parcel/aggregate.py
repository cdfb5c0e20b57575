"""The parcel: its rules, and its state as a fold over its events."""

from typing import Any, Literal, Self

from {{ cookiecutter.__package }}.bus import Aggregate, applies

from . import errors, events

Status = Literal["created", "processed", "archived", "failed"]


class Parcel(Aggregate):
    """Created, then processed or failed; what was processed is archived."""

    status: Status
    data: dict[str, Any]
    result: dict[str, Any]
    location: str | None = None

    @classmethod
    def create(cls, aggregate_id: str, data: dict[str, Any]) -> Self:
        """A new one, with the data it came with."""
        new = cls(aggregate_id)
        new.record(events.ParcelCreated(parcel_id=aggregate_id, data=data))
        return new

    def process(self) -> None:
        """Note which fields came. It fails when the data says so: `{"fail": "<reason>"}`."""
        if self.status != "created":
            raise errors.AlreadyProcessed(self.id)
        if "fail" in self.data:
            self.record(
                events.ParcelFailed(
                    parcel_id=self.id,
                    reason=str(self.data["fail"]),
                )
            )
        else:
            self.record(
                events.ParcelProcessed(
                    parcel_id=self.id,
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
        self.record(events.ParcelArchived(parcel_id=self.id, location=location))

    @applies(events.ParcelCreated)
    def _created(self, event: events.ParcelCreated) -> None:
        self.status = "created"
        self.data = event.data

    @applies(events.ParcelProcessed)
    def _processed(self, event: events.ParcelProcessed) -> None:
        self.status = "processed"
        self.result = event.result

    @applies(events.ParcelFailed)
    def _failed(self, _event: events.ParcelFailed) -> None:
        self.status = "failed"

    @applies(events.ParcelArchived)
    def _archived(self, event: events.ParcelArchived) -> None:
        self.status = "archived"
        self.location = event.location
