"""The reader of aggregates from the event store, and of rows from the read models."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

import msgspec

from ..model.aggregate import Aggregate
from ..model.context import Context
from ..model.errors import AggregateNotFound, ConfigurationError, InvalidCursor
from ..model.projection import Projection
from ..model.reader import Page
from ..model.recorded_event import RecordedEvent
from .projector import Projector
from .repository import Repository

A = TypeVar("A", bound=Aggregate)
R = TypeVar("R")

Projectors = Mapping[type[Projection[Any]], Projector[Any]]

MAX_PLACE_BYTES = 1023
"""The limit of the strictest store, the same on all of them: 1024 bytes, with a separator."""


class StoreReader(msgspec.Struct, frozen=True, gc=False):  # one is made for each query
    """Reads aggregates from the log, and rows through their projectors."""

    _repository: Repository
    _projectors: Projectors
    context: Context

    def get(self, aggregate_type: type[A], aggregate_id: str, at: int | None = None) -> A:
        return self._repository.load(aggregate_type, aggregate_id, at).aggregate

    def history(self, aggregate_type: type[Aggregate], aggregate_id: str) -> list[RecordedEvent]:
        commits = self._repository.store.commits(aggregate_type.stream_of(aggregate_id))
        if not commits:
            raise AggregateNotFound(aggregate_type.stream_name, aggregate_id)
        return [
            recorded for commit in commits for recorded in self._repository.codecs.recorded(commit)
        ]

    def row(self, projection: type[Projection[R]], key: str, min_version: int = 0) -> R:
        found = self._projector(projection).read(key, min_version)
        if found is None:
            raise AggregateNotFound(projection.aggregate.stream_name, key)
        return found[0]

    def page(
        self,
        projection: type[Projection[R]],
        *,
        labels: Iterable[str] = (),
        limit: int = 50,
        cursor: str | None = None,
    ) -> Page[R]:
        wanted = tuple(labels) or projection.labels
        after = _place(cursor) if cursor is not None else None
        found = self._projector(projection).find(wanted, limit + 1, after)
        more = len(found) > limit
        return Page(
            [row for row, _ in found[:limit]], _cursor(found[limit - 1][1].place) if more else None
        )

    def _projector(self, projection: type[Projection[R]]) -> Projector[R]:
        projector: Projector[R] | None = self._projectors.get(projection)
        if projector is None:
            raise ConfigurationError(
                f"{projection.__name__} is not among the projections given to bootstrap()"
            )
        return projector


def _cursor(place: tuple[str, str]) -> str:
    return urlsafe_b64encode(msgspec.json.encode(place)).rstrip(b"=").decode()


def _place(cursor: str) -> tuple[str, str]:
    """The place that a cursor names. A cursor may hold anything, because whoever sends it can make
    one: what not every store can look for is refused."""
    try:
        text = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        sort, key = msgspec.json.decode(text, type=tuple[str, str])
    except ValueError:  # for Unicode, too
        raise _invalid_cursor() from None
    if "\0" in sort + key or len((sort + key).encode()) > MAX_PLACE_BYTES:
        raise _invalid_cursor()
    return sort, key


def _invalid_cursor() -> InvalidCursor:
    return InvalidCursor("the cursor is none that this service gave")
