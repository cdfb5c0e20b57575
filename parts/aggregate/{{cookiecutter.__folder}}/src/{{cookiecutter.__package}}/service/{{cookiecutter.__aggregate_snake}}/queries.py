"""What can be asked about {{ cookiecutter.__plural_words }}, and what answers."""

from typing import Any

import msgspec

from ...bus import Page, Query, QueryHandler, Reader, RecordedEvent
from ...domain.{{ cookiecutter.__aggregate_snake }} import aggregate
from . import projections


class {{ cookiecutter.__aggregate }}View(msgspec.Struct, frozen=True):
    """One of them, as the outside sees it."""

    id: str
    status: aggregate.Status
    version: int
    data: dict[str, Any]


class Get{{ cookiecutter.__aggregate }}(Query[{{ cookiecutter.__aggregate }}View]):
    """Its state as of now, or as of version `at`."""

    {{ cookiecutter.__aggregate_snake }}_id: str
    at: int | None = None


class Get{{ cookiecutter.__aggregate }}History(Query[list[RecordedEvent]]):
    """All that happened to it, in order."""

    {{ cookiecutter.__aggregate_snake }}_id: str


class Get{{ cookiecutter.__aggregate }}List(
    Query[Page[projections.{{ cookiecutter.__aggregate }}Row]],
):
    """Those with this status, or all, newest first, continued at `cursor`. A list may be a moment
    behind."""

    status: aggregate.Status | None = None
    limit: int = 50
    cursor: str | None = None


class Get{{ cookiecutter.__aggregate }}Handler(
    QueryHandler[Get{{ cookiecutter.__aggregate }}],
):
    """Folds the events of the one that is asked for."""

    def handle(
        self,
        query: Get{{ cookiecutter.__aggregate }},
        reader: Reader,
    ) -> {{ cookiecutter.__aggregate }}View:
        found = reader.get(
            aggregate.{{ cookiecutter.__aggregate }},
            query.{{ cookiecutter.__aggregate_snake }}_id,
            query.at,
        )
        return {{ cookiecutter.__aggregate }}View(
            found.id,
            found.status,
            found.version,
            found.data,
        )


class Get{{ cookiecutter.__aggregate }}HistoryHandler(
    QueryHandler[Get{{ cookiecutter.__aggregate }}History],
):
    """Reads the log."""

    def handle(
        self,
        query: Get{{ cookiecutter.__aggregate }}History,
        reader: Reader,
    ) -> list[RecordedEvent]:
        return reader.history(
            aggregate.{{ cookiecutter.__aggregate }},
            query.{{ cookiecutter.__aggregate_snake }}_id,
        )


class Get{{ cookiecutter.__aggregate }}ListHandler(
    QueryHandler[Get{{ cookiecutter.__aggregate }}List],
):
    """Reads the read model."""

    def handle(
        self,
        query: Get{{ cookiecutter.__aggregate }}List,
        reader: Reader,
    ) -> Page[projections.{{ cookiecutter.__aggregate }}Row]:
        return reader.page(
            projections.{{ cookiecutter.__aggregate }}List,
            labels=[query.status] if query.status else [],
            limit=query.limit,
            cursor=query.cursor,
        )
