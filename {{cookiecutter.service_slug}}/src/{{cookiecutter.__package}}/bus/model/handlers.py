"""Handlers: one class for each command, each decision and each query.

The signatures keep commands and events apart. Only a command handler is handed a unit of work, so
only a command changes anything. An event handler decides, from the event alone, which commands
follow. A query handler reads. Handlers are made once, at start, with the ports that their
``__init__`` asks for, and keep no state between calls.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from typing import Any, Generic, TypeVar

from .follow_up import FollowUp
from .messages import Command, Event, Query
from .reader import Reader
from .recorded_event import RecordedEvent
from .unit_of_work import UnitOfWork

C = TypeVar("C", bound=Command)
E = TypeVar("E", bound=Event)
Q = TypeVar("Q", bound=Query[Any])

Follows = Command | FollowUp[Any]
"""What an event handler gives: a command, or a command with how it is dispatched."""


class CommandHandler(ABC, Generic[C]):
    """Runs the commands of one type: `class PlaceHandler(CommandHandler[commands.Place])`."""

    @abstractmethod
    def handle(self, command: C, uow: UnitOfWork) -> None:
        """Get aggregates from `uow` and let them record events. To refuse the command, raise a
        `DomainError`. The bus runs this method again after a conflict, so calls to outside systems
        must be idempotent."""


class EventHandler(Generic[E]):
    """Decides which commands follow from the events of one type.

    Its method is ``handle(self, event)``. If the decision needs more than the event, the method is
    ``handle(self, event, recorded)``: the `RecordedEvent` says when the event happened, in which
    stream and in which context.
    """

    handle: Callable[[E], Iterable[Follows]] | Callable[[E, RecordedEvent], Iterable[Follows]]
    """Returns the commands that follow, in order. A pure decision, made before the commit. If it
    raises, the command that recorded the event fails and nothing is committed. A command that is
    given as it is runs at once and in order; a `FollowUp` says otherwise."""


class QueryHandler(ABC, Generic[Q]):
    """Answers the queries of one type."""

    @abstractmethod
    def handle(self, query: Q, reader: Reader) -> Any:
        """The answer, of the type that the query names: `Query[R]` is answered with an `R`."""
