"""The event stores: each module has an `open_store(settings)` that returns its adapter."""

from datetime import UTC, datetime


def utc_text(moment: datetime) -> str:
    """ISO 8601 in UTC, always with microseconds: it sorts as it reads."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")
