"""The {{ cookiecutter.__plural_words }}: their rows, and the queries for them."""

from datetime import datetime
from typing import Literal, get_args

import msgspec

from ...bus import Page, Projection, Query, QueryHandler, Reader, RecordedEvent
from ...domain.{{ cookiecutter.__aggregate_snake }} import aggregate

{{ cookiecutter.__projection }}State = Literal["new", "changed"]


class {{ cookiecutter.__projection }}Row(msgspec.Struct, frozen=True):
    """What it shows of one of them."""

    id: str
    state: {{ cookiecutter.__projection }}State
    version: int
    created_at: datetime
    changed_at: datetime


class {{ cookiecutter.__projection }}(
    Projection[{{ cookiecutter.__projection }}Row],
    of=aggregate.{{ cookiecutter.__aggregate }},
    labels=get_args({{ cookiecutter.__projection }}State),
    name="{{ cookiecutter.__plural_snake }}",
):
    """All of them, newest first, by state. Once it has rows, a change of it needs a rebuild:
    the command `rebuild {{ cookiecutter.__plural_snake }}`."""

    def apply(
        self,
        row: {{ cookiecutter.__projection }}Row | None,
        recorded: RecordedEvent,
    ) -> {{ cookiecutter.__projection }}Row | None:
        """Say what each event changes: as it is, all of them count alike."""
        if row is None:
            return {{ cookiecutter.__projection }}Row(
                id=recorded.stream_id.partition("/")[2],
                state="new",
                version=recorded.version,
                created_at=recorded.recorded_at,
                changed_at=recorded.recorded_at,
            )
        return msgspec.structs.replace(
            row,
            state="changed",
            version=recorded.version,
            changed_at=recorded.recorded_at,
        )

    def label(self, row: {{ cookiecutter.__projection }}Row) -> str:
        return row.state

    def sort(self, row: {{ cookiecutter.__projection }}Row) -> str:
        return row.created_at.isoformat(timespec="microseconds")


class Get{{ cookiecutter.__projection }}(
    Query[{{ cookiecutter.__projection }}Row],
):
    """The row of one of them, at version `min_version` or a later one."""

    {{ cookiecutter.__aggregate_snake }}_id: str
    min_version: int = 0


class Get{{ cookiecutter.__projection }}List(
    Query[Page[{{ cookiecutter.__projection }}Row]],
):
    """Those in this state, or all, newest first, continued at `cursor`. A list may be a moment
    behind."""

    state: {{ cookiecutter.__projection }}State | None = None
    limit: int = 50
    cursor: str | None = None


class Get{{ cookiecutter.__projection }}Handler(
    QueryHandler[Get{{ cookiecutter.__projection }}],
):
    """Reads the row, after bringing it up to `min_version`."""

    def handle(
        self,
        query: Get{{ cookiecutter.__projection }},
        reader: Reader,
    ) -> {{ cookiecutter.__projection }}Row:
        return reader.row(
            {{ cookiecutter.__projection }},
            query.{{ cookiecutter.__aggregate_snake }}_id,
            query.min_version,
        )


class Get{{ cookiecutter.__projection }}ListHandler(
    QueryHandler[Get{{ cookiecutter.__projection }}List],
):
    """Reads a page of rows."""

    def handle(
        self,
        query: Get{{ cookiecutter.__projection }}List,
        reader: Reader,
    ) -> Page[{{ cookiecutter.__projection }}Row]:
        return reader.page(
            {{ cookiecutter.__projection }},
            labels=[query.state] if query.state else [],
            limit=query.limit,
            cursor=query.cursor,
        )
