"""The read models that an owner declares: what a projection makes of the events."""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Any, ClassVar, Generic, TypeVar

from .aggregate import Aggregate
from .recorded_event import RecordedEvent

R = TypeVar("R")


class Projection(ABC, Generic[R]):
    """Makes the rows of one read model from the events of one kind of aggregate, a row for each::

        class Orders(Projection[OrderRow], of=Order, labels=("open", "done")): ...

    A row is a frozen `msgspec.Struct`. The read model has the name of the class in lower case, unless
    `name` is given. After a change of what it makes, rebuild it.
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
        """The row after this event: a pure function. None means that there is no row: before the
        first event, and wherever there is to be none."""

    @abstractmethod
    def label(self, row: R) -> str:
        """What lists are filtered by: one of `labels`."""

    @abstractmethod
    def sort(self, row: R) -> str:
        """What lists are sorted by, from the end backward. It must not change over a row's life."""
