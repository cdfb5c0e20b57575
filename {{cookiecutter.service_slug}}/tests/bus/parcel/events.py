"""What can happen to parcels. Once released, an event keeps its shape."""

from typing import Any

from {{ cookiecutter.__package }}.bus import Event


class ParcelCreated(Event):
    """It was taken in."""

    parcel_id: str
    data: dict[str, Any]


class ParcelProcessed(Event):
    """The work was done; `result` is what came of it."""

    parcel_id: str
    result: dict[str, Any]


class ParcelFailed(Event):
    """The work could not be done, for this reason."""

    parcel_id: str
    reason: str


class ParcelArchived(Event):
    """The result was written; `location` is where."""

    parcel_id: str
    location: str
