"""Where times come from."""

from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """The port for the current time. A test gives a clock that it can set."""

    def now(self) -> datetime:
        """The present moment, in UTC, with its time zone."""
        ...


class SystemClock:
    """The clock of the machine."""

    def now(self) -> datetime:
        return datetime.now(UTC)
