"""The unit of work as a command handler sees it: it gives aggregates, and has no `commit`.

The unit of work (Fowler, "Patterns of Enterprise Application Architecture", 2002) keeps track of
the aggregates that one command changes. The message bus writes them in one commit after the handler
has returned. If the handler raises, nothing is written.
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
        """The id of this command, the same in each attempt. Use it as the idempotency key of
        outside calls."""
        ...

    def get(self, aggregate_type: type[A], aggregate_id: str) -> A:
        """The aggregate of this id, the same object each time. Raises `AggregateNotFound`."""
        ...

    def get_or_new(self, aggregate_type: type[A], aggregate_id: str) -> A:
        """The aggregate of this id or, if nothing was ever recorded for it, a new one, whose
        `version` is 0. Of two commands that begin one at the same moment, one wins. The other meets
        an optimistic concurrency conflict, and runs again on what the winner has recorded."""
        ...

    def add(self, aggregate: Aggregate) -> None:
        """Add a new aggregate. If its id is taken, the commit raises `AggregateExists`."""
        ...

    def schedule(self, command: Command, at: datetime) -> None:
        """Run this command at a later time. The commit stores it with the events, and a worker runs
        it when it is due. It is out of order: it waits for no other command of its stream, and no
        other command waits for it.

        Raises `ValueError` for a time without a time zone, or not within the years 2 to 9998.
        """
        ...
