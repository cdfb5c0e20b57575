"""The event stores, a folder each: `open_store(settings)` returns the adapter, and `create(settings)`,
where there is something to create, makes what the store needs."""

from datetime import UTC, datetime


def utc_text(moment: datetime) -> str:
    """ISO 8601 in UTC, always with microseconds: it sorts as it reads."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")
