"""The routes of the parcels."""

import uuid
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from pydantic import Field

from {{ cookiecutter.__package }}.bus import AggregateExists, AggregateNotFound
from {{ cookiecutter.__package }}.entrypoints import shapes
from {{ cookiecutter.__package }}.entrypoints.api.body import (
    Body,
    Id,
    JsonObject,
    StrictRoute,
)
from {{ cookiecutter.__package }}.entrypoints.api.problems import documented
from {{ cookiecutter.__package }}.entrypoints.api.request import (
    Bus,
    IdempotencyKey,
    RequestContext,
)

from . import aggregate, commands, projections, queries

router = APIRouter(
    prefix="/parcels",
    tags=["parcels"],
    route_class=StrictRoute,
)


class NewParcel(Body):
    """What to take in. Without an id, the service makes one."""

    parcel_id: Id = Field(
        default_factory=lambda: uuid.uuid4().hex,
    )
    data: JsonObject


@dataclass(frozen=True, kw_only=True)
class AcceptedParcel:
    """What became of it at once. What follows from it shows in its state and history."""

    parcel_id: str
    status: aggregate.Status
    version: int


@dataclass(frozen=True, kw_only=True)
class ParcelState:
    """One parcel, as of `version`."""

    parcel_id: str
    status: aggregate.Status
    version: int
    data: dict[str, Any]
    location: str | None


@dataclass(frozen=True, kw_only=True)
class ParcelItem:
    """One parcel in a list. `created_at` is ISO 8601 in UTC."""

    parcel_id: str
    status: aggregate.Status
    version: int
    created_at: str
    location: str | None


@dataclass(frozen=True, kw_only=True)
class ParcelPage:
    """A part of the list. `next` is the cursor of the part after it, null at the end."""

    items: list[ParcelItem]
    next: str | None


@router.post("", status_code=201, responses=documented(AggregateExists, 413, 422, 503))
def create_parcel(
    body: NewParcel,
    bus: Bus,
    context: RequestContext,
    idempotency: IdempotencyKey,
    response: Response,
) -> AcceptedParcel:
    """Take it in, and let happen what follows. Sent again under the same Idempotency-Key, it has no
    second effect and the same answer."""
    command = commands.CreateParcel(parcel_id=body.parcel_id, data=body.data)
    outcome = bus.handle(command, idempotency=idempotency, context=context)
    # As of its own commit: later events are other commands' doing, and the id may be of an
    # earlier request under the same key.
    new_id = outcome.events[0].stream_id.partition("/")[2]
    created = aggregate.Parcel(new_id)
    created.fold([recorded.event for recorded in outcome.events])
    response.headers["Location"] = f"/parcels/{new_id}"
    return AcceptedParcel(parcel_id=new_id, status=created.status, version=created.version)


@router.get("", responses=documented(422, 503))
def list_parcels(
    bus: Bus,
    context: RequestContext,
    status: aggregate.Status | None = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Annotated[str | None, Query(max_length=1000)] = None,
) -> ParcelPage:
    """Those with this status, or all, newest first. The list may be a moment behind."""
    query = queries.GetParcelList(status=status, limit=limit, cursor=cursor)
    page = bus.ask(query, context=context)
    return ParcelPage(items=[_item(row) for row in page.items], next=page.next)


def _item(row: projections.ParcelRow) -> ParcelItem:
    return ParcelItem(
        parcel_id=row.id,
        status=row.status,
        version=row.version,
        created_at=shapes.utc(row.created_at),
        location=row.location,
    )


@router.get(
    "/{parcel_id}",
    responses=documented(AggregateNotFound, 503),
)
def get_parcel(parcel_id: Id, bus: Bus, context: RequestContext) -> ParcelState:
    """Its state as of now."""
    view = bus.ask(queries.GetParcel(parcel_id=parcel_id), context=context)
    return ParcelState(
        parcel_id=view.id,
        status=view.status,
        version=view.version,
        data=view.data,
        location=view.location,
    )


@router.get("/{parcel_id}/row", responses=documented(AggregateNotFound, 503))
def get_parcel_row(
    parcel_id: Id, bus: Bus, context: RequestContext, min_version: int = 0
) -> ParcelItem:
    """Its row, at this version or a later one."""
    query = queries.GetParcelRow(parcel_id=parcel_id, min_version=min_version)
    return _item(bus.ask(query, context=context))


@router.get(
    "/{parcel_id}/history",
    responses=documented(AggregateNotFound, 422, 503),
)
def get_parcel_history(
    parcel_id: Id,
    bus: Bus,
    context: RequestContext,
    after: shapes.After = 0,
    limit: shapes.Limit = shapes.MOST_EVENTS,
) -> shapes.HistoryPage:
    """What happened to it after this version, in order: at most 4 MB."""
    query = queries.GetParcelHistory(parcel_id=parcel_id)
    recorded = bus.ask(query, context=context)
    return shapes.history_page(recorded, after, limit)
