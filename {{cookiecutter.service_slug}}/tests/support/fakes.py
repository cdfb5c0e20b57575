"""A clock and an id source that a test controls."""

from datetime import UTC, datetime, timedelta
from itertools import count


class FakeClock:
    """Stands still until it is told to move."""

    def __init__(self, start: datetime = datetime(2026, 1, 1, tzinfo=UTC)) -> None:
        self._now = start

    def now(self) -> datetime:
        return self._now

    def move(self, **by: float) -> None:
        """Forward or backward, as `timedelta` takes it: `move(seconds=5)`."""
        self._now += timedelta(**by)


class CountingIds:
    """``id-1``, ``id-2``, ..."""

    def __init__(self) -> None:
        self._numbers = count(1)

    def new_id(self) -> str:
        return f"id-{next(self._numbers)}"
