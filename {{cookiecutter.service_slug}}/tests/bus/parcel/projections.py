"""The read models: rows for lists, folded from the events of each aggregate."""

from datetime import datetime
from typing import get_args

import msgspec

from {{ cookiecutter.__package }}.bus import Projection, RecordedEvent

from . import aggregate, events


class ParcelRow(msgspec.Struct, frozen=True):
    """One of them, as lists show it."""

    id: str
    status: aggregate.Status
    version: int
    created_at: datetime
    location: str | None = None


class ParcelList(
    Projection[ParcelRow],
    of=aggregate.Parcel,
    labels=get_args(aggregate.Status),
    name="parcels",
):
    """All of them, newest first, by status."""

    def apply(self, row: ParcelRow | None, recorded: RecordedEvent) -> ParcelRow | None:
        event, version = recorded.event, recorded.version
        if isinstance(event, events.ParcelCreated):
            return ParcelRow(event.parcel_id, "created", version, recorded.recorded_at)
        if row is None:
            return None
        match event:
            case events.ParcelProcessed():
                return msgspec.structs.replace(row, status="processed", version=version)
            case events.ParcelFailed():
                return msgspec.structs.replace(row, status="failed", version=version)
            case events.ParcelArchived():
                return msgspec.structs.replace(
                    row,
                    status="archived",
                    version=version,
                    location=event.location,
                )
        return msgspec.structs.replace(row, version=version)

    def label(self, row: ParcelRow) -> str:
        return row.status

    def sort(self, row: ParcelRow) -> str:
        return row.created_at.isoformat(timespec="microseconds")
