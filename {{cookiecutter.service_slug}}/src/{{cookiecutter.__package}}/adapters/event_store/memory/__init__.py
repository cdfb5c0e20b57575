"""The event store in memory, for tests and for trying things out. The data ends with the
process."""

from ....bus import EventStore
from ....config import Settings
from .store import MemoryEventStore

__all__ = ["MemoryEventStore", "open_store"]


def open_store(_settings: Settings) -> EventStore:
    """A new, empty store."""
    return MemoryEventStore()
