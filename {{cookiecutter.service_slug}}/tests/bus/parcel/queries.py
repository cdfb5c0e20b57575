"""What can be asked about parcels, and what answers."""

from typing import Any

import msgspec

from {{ cookiecutter.__package }}.bus import (
    Page,
    Query,
    QueryHandler,
    Reader,
    RecordedEvent,
)

from . import aggregate, projections


class ParcelView(msgspec.Struct, frozen=True):
    """One of them, as the outside sees it."""

    id: str
    status: aggregate.Status
    version: int
    data: dict[str, Any]
    location: str | None


class GetParcel(Query[ParcelView]):
    """Its state as of now, or as of version `at`."""

    parcel_id: str
    at: int | None = None


class GetParcelHistory(Query[list[RecordedEvent]]):
    """All that happened to it, in order."""

    parcel_id: str


class GetParcelList(
    Query[Page[projections.ParcelRow]],
):
    """Those with this status, or all, newest first, continued at `cursor`. A list may be a moment
    behind."""

    status: aggregate.Status | None = None
    limit: int = 50
    cursor: str | None = None


class GetParcelRow(
    Query[projections.ParcelRow],
):
    """The row of one of them, at version `min_version` or a later one."""

    parcel_id: str
    min_version: int = 0


class GetParcelHandler(
    QueryHandler[GetParcel],
):
    """Folds the events of the one that is asked for."""

    def handle(self, query: GetParcel, reader: Reader) -> ParcelView:
        found = reader.get(aggregate.Parcel, query.parcel_id, query.at)
        return ParcelView(found.id, found.status, found.version, found.data, found.location)


class GetParcelHistoryHandler(
    QueryHandler[GetParcelHistory],
):
    """Reads the log."""

    def handle(self, query: GetParcelHistory, reader: Reader) -> list[RecordedEvent]:
        return reader.history(aggregate.Parcel, query.parcel_id)


class GetParcelListHandler(
    QueryHandler[GetParcelList],
):
    """Reads the read model."""

    def handle(self, query: GetParcelList, reader: Reader) -> Page[projections.ParcelRow]:
        return reader.page(
            projections.ParcelList,
            labels=[query.status] if query.status else [],
            limit=query.limit,
            cursor=query.cursor,
        )


class GetParcelRowHandler(
    QueryHandler[GetParcelRow],
):
    """Reads the read model, after bringing the row up to `min_version`."""

    def handle(self, query: GetParcelRow, reader: Reader) -> projections.ParcelRow:
        return reader.row(projections.ParcelList, query.parcel_id, query.min_version)
