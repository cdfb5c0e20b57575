"""What a query handler is handed: aggregates and their histories, and the rows of read models."""

from collections.abc import Iterable
from typing import Generic, Protocol, TypeVar

import msgspec

from .aggregate import Aggregate
from .context import Context
from .projection import Projection
from .recorded_event import RecordedEvent

A = TypeVar("A", bound=Aggregate)
R = TypeVar("R")


class Page(msgspec.Struct, Generic[R], frozen=True):
    """A page of a list. `next` is the cursor of the next page, None on the last one."""

    items: list[R]
    next: str | None


class Reader(Protocol):
    """Reads, and changes nothing."""

    @property
    def context(self) -> Context:
        """The context of the query: who asks."""
        ...

    def get(self, aggregate_type: type[A], aggregate_id: str, at: int | None = None) -> A:
        """The aggregate as of now, or as of version `at`. Raises `AggregateNotFound`."""
        ...

    def history(self, aggregate_type: type[Aggregate], aggregate_id: str) -> list[RecordedEvent]:
        """All recorded events of the aggregate, in order. Raises `AggregateNotFound`."""
        ...

    def row(self, projection: type[Projection[R]], key: str, min_version: int = 0) -> R:
        """The row of one aggregate. It shows version `min_version` or a later one, so that a caller
        can read its own writes. Raises `AggregateNotFound`."""
        ...

    def page(
        self,
        projection: type[Projection[R]],
        *,
        labels: Iterable[str] = (),
        limit: int = 50,
        cursor: str | None = None,
    ) -> Page[R]:
        """Rows of a read model in descending sort order: those with one of the labels, or all.
        Raises `InvalidCursor` for a cursor that no earlier page returned."""
        ...
