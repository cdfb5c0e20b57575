"""The routes of the {{ cookiecutter.__plural_words }}."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Query

from ...bus import AggregateNotFound
from ...service.{{ cookiecutter.__aggregate_snake }} import {{ cookiecutter.__plural_snake }}
from .. import shapes
from .body import Id, StrictRoute
from .problems import documented
from .request import Bus, RequestContext

router = APIRouter(
    prefix="/{{ cookiecutter.projection_plural }}",
    tags=["{{ cookiecutter.__plural_words }}"],
    route_class=StrictRoute,
)


@dataclass(frozen=True, kw_only=True)
class {{ cookiecutter.__projection }}Item:
    """What is shown of one of them. The times are ISO 8601 in UTC."""

    {{ cookiecutter.__aggregate_snake }}_id: str
    state: {{ cookiecutter.__plural_snake }}.{{ cookiecutter.__projection }}State
    version: int
    created_at: str
    changed_at: str


@dataclass(frozen=True, kw_only=True)
class {{ cookiecutter.__projection }}Page:
    """A part of the list. `next` is the cursor of the part after it, null at the end."""

    items: list[{{ cookiecutter.__projection }}Item]
    next: str | None


def item(
    row: {{ cookiecutter.__plural_snake }}.{{ cookiecutter.__projection }}Row,
) -> {{ cookiecutter.__projection }}Item:
    """A row of the read model, under its public names."""
    return {{ cookiecutter.__projection }}Item(
        {{ cookiecutter.__aggregate_snake }}_id=row.id,
        state=row.state,
        version=row.version,
        created_at=shapes.utc(row.created_at),
        changed_at=shapes.utc(row.changed_at),
    )


@router.get("", responses=documented(422, 503))
def list_{{ cookiecutter.__plural_snake }}(
    bus: Bus,
    context: RequestContext,
    state: Annotated[
        {{ cookiecutter.__plural_snake }}.{{ cookiecutter.__projection }}State | None,
        Query(description="Only those in this state"),
    ] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Annotated[str | None, Query(max_length=1000)] = None,
) -> {{ cookiecutter.__projection }}Page:
    """Those in this state, or all, newest first. The list may be a moment behind."""
    query = {{ cookiecutter.__plural_snake }}.Get{{ cookiecutter.__projection }}List(
        state=state,
        limit=limit,
        cursor=cursor,
    )
    page = bus.ask(query, context=context)
    return {{ cookiecutter.__projection }}Page(
        items=[item(row) for row in page.items],
        next=page.next,
    )


@router.get(
    "/{ {{- cookiecutter.__aggregate_snake }}_id}",
    responses=documented(AggregateNotFound, 422, 503),
)
def get_{{ cookiecutter.__projection_snake }}(
    {{ cookiecutter.__aggregate_snake }}_id: Id,
    bus: Bus,
    context: RequestContext,
    min_version: Annotated[int, Query(ge=0)] = 0,
) -> {{ cookiecutter.__projection }}Item:
    """One of them, which has seen version `min_version`: whoever wrote reads what was written."""
    query = {{ cookiecutter.__plural_snake }}.Get{{ cookiecutter.__projection }}(
        {{ cookiecutter.__aggregate_snake }}_id={{ cookiecutter.__aggregate_snake }}_id,
        min_version=min_version,
    )
    return item(bus.ask(query, context=context))
