"""The event store in one SQLite file: nothing to install, and data survives a restart."""

from ....bus import EventStore
from ....config import Settings
from .store import SqliteEventStore

__all__ = ["SqliteEventStore", "open_store"]


def open_store(settings: Settings) -> EventStore:
    """The store in the file at SQLITE_PATH, which is created if it is not there."""
    return SqliteEventStore(settings.sqlite_path)
