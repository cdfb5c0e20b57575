"""What a query handler is given: aggregates and their histories from the log, rows of read models."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable, Mapping
from typing import Any, Generic, TypeVar

import msgspec

from .aggregate import Aggregate
from .errors import AggregateNotFound, ConfigurationError, InvalidCursor
from .projection import Projection, Projector
from .repository import Repository
from .store import RecordedEvent

A = TypeVar("A", bound=Aggregate)
R = TypeVar("R")


class Page(msgspec.Struct, Generic[R], frozen=True):
    """A part of a list. `next` is the cursor of the part after it, None at the end."""

    items: list[R]
    next: str | None


class Reader:
    """Reads, and changes nothing."""

    def __init__(
        self,
        repository: Repository,
        projectors: Mapping[type[Projection[Any]], Projector[Any]],
    ) -> None:
        self._repository, self._projectors = repository, projectors

    def get(self, aggregate_type: type[A], aggregate_id: str, at: int | None = None) -> A:
        """The aggregate as of now, or as of version `at`. Raises `AggregateNotFound`."""
        return self._repository.load(aggregate_type, aggregate_id, at).aggregate

    def history(self, aggregate_type: type[Aggregate], aggregate_id: str) -> list[RecordedEvent]:
        """All that happened to the aggregate, in order. Raises `AggregateNotFound`."""
        commits = self._repository.store.commits(aggregate_type.stream_of(aggregate_id))
        if not commits:
            raise AggregateNotFound(aggregate_type.stream_name, aggregate_id)
        codec = self._repository.codecs.events(aggregate_type)
        return [
            commit.recorded(event, offset)
            for commit in commits
            for offset, event in enumerate(codec.decode(commit.events))
        ]

    def row(self, projection: type[Projection[R]], key: str, min_version: int = 0) -> R:
        """The row of one aggregate, which has seen at least `min_version` of it, so that whoever
        wrote reads what was written. Raises `AggregateNotFound`."""
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
        """Rows of a read model, from the end backward: those with one of the labels, or all.

        Raises `InvalidCursor` for a cursor that no earlier page has given.
        """
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
    try:
        text = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        return msgspec.json.decode(text, type=tuple[str, str])
    except ValueError:
        raise InvalidCursor("the cursor is none that this service gave") from None
