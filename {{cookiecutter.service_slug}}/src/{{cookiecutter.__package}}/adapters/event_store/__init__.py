"""The event stores, one package each.

`open_store(settings)` returns the adapter. `create(settings)`, in the packages that have it,
creates the tables that the store needs.
"""

from datetime import UTC, datetime


def utc_text(moment: datetime) -> str:
    """ISO 8601 in UTC, always with microseconds, so that texts sort in the order of time."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")
