"""What can be asked of parcels."""

from typing import Any

from {{ cookiecutter.__package }}.bus import Command


class CreateParcel(Command):
    """Take it in, with whatever data the caller sends."""

    parcel_id: str
    data: dict[str, Any]


class ProcessParcel(Command):
    """Do the work that the service is for."""

    parcel_id: str


class ArchiveParcel(Command):
    """Write the result to the file store."""

    parcel_id: str
