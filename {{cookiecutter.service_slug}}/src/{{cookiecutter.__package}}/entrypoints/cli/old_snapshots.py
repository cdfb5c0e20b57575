"""`status`: who keeps dead rows in the store, because of an old snapshot."""

from collections.abc import Iterator

from ...bus import MessageBus
from ...config import Settings
from .status_line import Line


def old_snapshots(_settings: Settings, bus: MessageBus) -> Iterator[Line]:
    """A line if there is an old snapshot, and if the store is one that can tell."""
    found: list[str] = getattr(bus.store, "old_snapshots", list)()
    if found:
        yield Line("old snapshots", f"kept by {'; '.join(found)}", {"kept_by": found})
