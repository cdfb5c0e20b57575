"""The event stores, one package each.

`open_store(settings)` returns the adapter. `create(settings)`, in the packages that have it,
creates the tables that the store needs.
"""

from datetime import UTC, datetime
from typing import TypeVar

T = TypeVar("T")

PENDING_READ = 25
"""How many pending commands a load reads of its stream, parked ones too. So a load takes no longer
when thousands of them are open."""

CREATE = f"run `{__name__.partition('.')[0].replace('_', '-')} create-store`"
"""What to do if the tables are not there. The command line is named after the package."""


def both_ends(found: list[T], limit: int) -> list[T]:
    """At most `limit` of these: half of them from the beginning, the others from the end."""
    if len(found) <= limit:
        return found
    last = limit // 2
    return found[: limit - last] + found[len(found) - last :]


def utc_text(moment: datetime) -> str:
    """ISO 8601 in UTC, always with microseconds, so that texts sort in the order of time."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")
