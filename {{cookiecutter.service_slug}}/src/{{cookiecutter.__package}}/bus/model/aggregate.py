"""The aggregate: it changes only by recording an event, which it then applies to itself.

The idea is event sourcing's (Fowler, "Event Sourcing", 2005; Vernon, "Implementing Domain-Driven
Design", appendix A): what happened is the truth, the state is a fold over it. ::

    class Order(Aggregate):
        def process(self) -> None:
            if self.status != "created":
                raise errors.AlreadyProcessed(self.id)
            self.record(events.OrderProcessed(order_id=self.id))

        @applies(events.OrderProcessed)
        def _processed(self, event: events.OrderProcessed) -> None:
            self.status = "processed"
"""

from collections.abc import Callable, Sequence
from itertools import count
from typing import Any, ClassVar, Self, TypeVar

from .errors import ConfigurationError
from .messages import Event

A = TypeVar("A", bound="Aggregate")
E = TypeVar("E", bound=Event)

_order = count()
"""Numbers the events in the order they are recorded, across all aggregates of the process."""


def applies(event_type: type[E]) -> Callable[[Callable[[A, E], None]], Callable[[A, E], None]]:
    """Mark the method of an aggregate that applies events of this type to its state."""

    def mark(method: Callable[[A, E], None]) -> Callable[[A, E], None]:
        method.__dict__["applies"] = event_type
        return method

    return mark


class Aggregate:
    """A consistency boundary with an id. Its events are one stream of the store.

    `stream_name` is the first part of its stream ids: the name of the class, unless it is given. A
    class that is renamed keeps its old one: `class Order(Aggregate, stream_name="Purchase")`. A new
    `snapshot_version` makes existing snapshots invalid; so does any change of the domain's source.

    `journal` holds the events recorded since the aggregate was loaded. Each has a number that
    orders the events of all aggregates.
    """

    stream_name: ClassVar[str]
    snapshot_version: ClassVar[int] = 1
    appliers: ClassVar[dict[type[Event], Callable[[Any, Any], None]]] = {}

    def __init_subclass__(cls, *, stream_name: str = "", **options: Any) -> None:
        super().__init_subclass__(**options)
        cls.stream_name = stream_name or cls.__name__
        cls.appliers = dict(cls.appliers)
        for method in vars(cls).values():
            event_type = getattr(method, "applies", None)
            if event_type is not None:
                cls.appliers[event_type] = method

    def __init__(self, aggregate_id: str) -> None:
        self.id = aggregate_id
        self.version = 0
        self.journal: list[tuple[int, Event]] = []

    @classmethod
    def stream_of(cls, aggregate_id: str) -> str:
        """The id of the stream that holds this aggregate's events, such as ``Order/42``."""
        return f"{cls.stream_name}/{aggregate_id}"

    def record(self, event: Event) -> None:
        """Apply this event, and append it to the journal for the commit.

        Raises `ConfigurationError` if no method applies events of its type.
        """
        self._apply(event)
        self.version += 1
        self.journal.append((next(_order), event))

    def fold(self, events: Sequence[Event]) -> Self:
        """Apply events that are already in the log, in order. Raises `KeyError` if no method
        applies an event."""
        appliers = self.appliers
        for event in events:
            appliers[type(event)](self, event)
        self.version += len(events)
        return self

    def _apply(self, event: Event) -> None:
        apply = self.appliers.get(type(event))
        if apply is None:
            raise ConfigurationError(
                f"{type(self).__name__} cannot apply {type(event).__name__}: give it a method with "
                f"@applies({type(event).__name__})"
            )
        apply(self, event)
