"""The routes of the {{ cookiecutter.__plural_words }}."""

import uuid
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from pydantic import Field

from ...bus import AggregateExists, AggregateNotFound
from ...domain.{{ cookiecutter.__aggregate_snake }} import aggregate, commands
from ...service.{{ cookiecutter.__aggregate_snake }} import queries
from .. import shapes
from .body import Body, Id, JsonObject, StrictRoute
from .problems import documented
from .request import Bus, IdempotencyKey, RequestContext

router = APIRouter(
    prefix="/{{ cookiecutter.aggregate_plural }}",
    tags=["{{ cookiecutter.__plural_words }}"],
    route_class=StrictRoute,
)


class New{{ cookiecutter.__aggregate }}(Body):
    """What to take in. Without an id, the service makes one."""

    {{ cookiecutter.__aggregate_snake }}_id: Id = Field(
        default_factory=lambda: uuid.uuid4().hex,
    )
    data: JsonObject


@dataclass(frozen=True, kw_only=True)
class Accepted{{ cookiecutter.__aggregate }}:
    """What became of it at once. What follows from it shows in its state and history."""

    {{ cookiecutter.__aggregate_snake }}_id: str
    status: aggregate.Status
    version: int


@dataclass(frozen=True, kw_only=True)
class {{ cookiecutter.__aggregate }}State:
    """One of them, as of `version`."""

    {{ cookiecutter.__aggregate_snake }}_id: str
    status: aggregate.Status
    version: int
    data: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class {{ cookiecutter.__aggregate }}Item:
    """One of them in a list. `created_at` is ISO 8601 in UTC."""

    {{ cookiecutter.__aggregate_snake }}_id: str
    status: aggregate.Status
    version: int
    created_at: str


@dataclass(frozen=True, kw_only=True)
class {{ cookiecutter.__aggregate }}Page:
    """A part of the list. `next` is the cursor of the part after it, null at the end."""

    items: list[{{ cookiecutter.__aggregate }}Item]
    next: str | None


@router.post("", status_code=201, responses=documented(AggregateExists, 413, 422, 503))
def create_{{ cookiecutter.__aggregate_snake }}(
    body: New{{ cookiecutter.__aggregate }},
    bus: Bus,
    context: RequestContext,
    idempotency: IdempotencyKey,
    response: Response,
) -> Accepted{{ cookiecutter.__aggregate }}:
    """Take it in, and let happen what follows. Sent again under the same Idempotency-Key, it has no
    second effect and the same answer."""
    command = commands.Create{{ cookiecutter.__aggregate }}(
        {{ cookiecutter.__aggregate_snake }}_id=body.{{ cookiecutter.__aggregate_snake }}_id,
        data=body.data,
    )
    outcome = bus.handle(command, idempotency=idempotency, context=context)
    # As of its own commit: later events are other commands' doing, and the id may be of an
    # earlier request under the same key.
    new_id = outcome.events[0].stream_id.partition("/")[2]
    created = aggregate.{{ cookiecutter.__aggregate }}(new_id)
    created.fold([recorded.event for recorded in outcome.events])
    response.headers["Location"] = f"/{{ cookiecutter.aggregate_plural }}/{new_id}"
    return Accepted{{ cookiecutter.__aggregate }}(
        {{ cookiecutter.__aggregate_snake }}_id=new_id,
        status=created.status,
        version=created.version,
    )


@router.get("", responses=documented(422, 503))
def list_{{ cookiecutter.__plural_snake }}(
    bus: Bus,
    context: RequestContext,
    status: aggregate.Status | None = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Annotated[str | None, Query(max_length=1000)] = None,
) -> {{ cookiecutter.__aggregate }}Page:
    """Those with this status, or all, newest first. The list may be a moment behind."""
    query = queries.Get{{ cookiecutter.__aggregate }}List(status=status, limit=limit, cursor=cursor)
    page = bus.ask(query, context=context)
    items = [
        {{ cookiecutter.__aggregate }}Item(
            {{ cookiecutter.__aggregate_snake }}_id=row.id,
            status=row.status,
            version=row.version,
            created_at=shapes.utc(row.created_at),
        )
        for row in page.items
    ]
    return {{ cookiecutter.__aggregate }}Page(items=items, next=page.next)


@router.get(
    "/{ {{- cookiecutter.__aggregate_snake }}_id}",
    responses=documented(AggregateNotFound, 503),
)
def get_{{ cookiecutter.__aggregate_snake }}(
    {{ cookiecutter.__aggregate_snake }}_id: Id,
    bus: Bus,
    context: RequestContext,
) -> {{ cookiecutter.__aggregate }}State:
    """Its state as of now."""
    query = queries.Get{{ cookiecutter.__aggregate }}(
        {{ cookiecutter.__aggregate_snake }}_id={{ cookiecutter.__aggregate_snake }}_id,
    )
    view = bus.ask(query, context=context)
    return {{ cookiecutter.__aggregate }}State(
        {{ cookiecutter.__aggregate_snake }}_id=view.id,
        status=view.status,
        version=view.version,
        data=view.data,
    )


@router.get(
    "/{ {{- cookiecutter.__aggregate_snake }}_id}/history",
    responses=documented(AggregateNotFound, 422, 503),
)
def get_{{ cookiecutter.__aggregate_snake }}_history(
    {{ cookiecutter.__aggregate_snake }}_id: Id,
    bus: Bus,
    context: RequestContext,
    after: shapes.After = 0,
    limit: shapes.Limit = shapes.MOST_EVENTS,
) -> shapes.HistoryPage:
    """What happened to it after this version, in order: at most 4 MB."""
    query = queries.Get{{ cookiecutter.__aggregate }}History(
        {{ cookiecutter.__aggregate_snake }}_id={{ cookiecutter.__aggregate_snake }}_id,
    )
    recorded = bus.ask(query, context=context)
    return shapes.history_page(recorded, after, limit)
