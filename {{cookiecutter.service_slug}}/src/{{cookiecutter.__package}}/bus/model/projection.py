"""Projections: the read models that an owner declares, each a fold of events into rows."""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Any, ClassVar, Generic, TypeVar

from .aggregate import Aggregate
from .recorded_event import RecordedEvent

R = TypeVar("R")


class Projection(ABC, Generic[R]):
    """Folds the events of one kind of aggregate into a read model, a row for each aggregate::

        class Orders(Projection[OrderRow], of=Order, labels=("open", "done")): ...

    A row is a frozen `msgspec.Struct`. The read model has the name of the class in lower case,
    unless `name` is given. After a change of `apply`, `label` or `sort`, rebuild it.
    """

    name: ClassVar[str]
    aggregate: ClassVar[type[Aggregate]]
    labels: ClassVar[tuple[str, ...]]

    def __init_subclass__(
        cls, *, of: type[Aggregate], labels: Iterable[str], name: str = "", **options: Any
    ) -> None:
        super().__init_subclass__(**options)
        cls.name, cls.aggregate, cls.labels = name or cls.__name__.lower(), of, tuple(labels)

    @abstractmethod
    def apply(self, row: R | None, recorded: RecordedEvent) -> R | None:
        """The row after this event. A pure function. `row` is None before the first event. Return
        None to have no row."""

    @abstractmethod
    def label(self, row: R) -> str:
        """The label that lists filter by: one of `labels`."""

    @abstractmethod
    def sort(self, row: R) -> str:
        """The text that lists are sorted by, in descending order. It must not change while the row
        exists."""
