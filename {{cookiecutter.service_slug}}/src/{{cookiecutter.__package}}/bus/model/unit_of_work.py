"""What a command handler is handed: its aggregates, and nothing with which to commit them.

The unit of work (Fowler, "Patterns of Enterprise Application Architecture", 2002) keeps track of the
aggregates that one command changes. The message bus writes them in one commit once the handler has
returned; if the handler raises, nothing is written.
"""

from datetime import datetime
from typing import Protocol, TypeVar

from .aggregate import Aggregate
from .context import Context
from .messages import Command

A = TypeVar("A", bound=Aggregate)


class UnitOfWork(Protocol):
    """The work of one command."""

    @property
    def context(self) -> Context:
        """Who sent the message that led to this command, and what it belongs to."""
        ...

    @property
    def command_id(self) -> str:
        """The id of this command, the same at each attempt: the idempotency key for calls outside."""
        ...

    def get(self, aggregate_type: type[A], aggregate_id: str) -> A:
        """The aggregate of this id, the same object each time. Raises `AggregateNotFound`."""
        ...

    def add(self, aggregate: Aggregate) -> None:
        """Take in a new aggregate. If its id is taken, the commit raises `AggregateExists`."""
        ...

    def schedule(self, command: Command, at: datetime) -> None:
        """Run this command at a time to come. It is committed with the events, and a worker takes it
        up once it is due. It waits for no other command of its stream, and holds none back.

        Raises `ValueError` for a time without a time zone.
        """
        ...
