"""The follow-up: a command that follows from an event, and how it is dispatched."""

from datetime import timedelta
from typing import Generic, TypeVar

import msgspec

from .messages import Command

C_co = TypeVar("C_co", bound=Command, covariant=True)

AT_ONCE = timedelta(0)
LONGEST = timedelta(days=366_000)
"""The longest delay, about a thousand years: every store has a date for when it is over."""


class FollowUp(msgspec.Struct, Generic[C_co], frozen=True, gc=False):
    """A command that follows from an event, if it is not to run at once and in order::

        def handle(self, event: events.OrderPlaced) -> Iterable[FollowUp[commands.AskCarrier]]:
            yield FollowUp(commands.AskCarrier(order_id=event.order_id), in_order=False)

    An in-order command waits until all earlier in-order commands of its stream are done. With
    ``in_order=False`` it waits for no other, and no other waits for it: the right choice for a call
    to an outside system, which may fail for hours. With a `delay` it becomes due that long after
    the event, and is out of order. A delayed command begins a new chain: its context has depth 0.

    Raises `ValueError` for a delay that is negative, or longer than a thousand years.
    """

    command: C_co
    in_order: bool = True
    delay: timedelta = AT_ONCE

    def __post_init__(self) -> None:
        if self.delay < AT_ONCE:
            raise ValueError(f"{type(self.command).__name__}: the delay is negative: {self.delay}")
        if self.delay > LONGEST:
            name, years = type(self.command).__name__, LONGEST.days // 366
            raise ValueError(f"{name}: the delay is longer than {years:,} years: {self.delay}")
