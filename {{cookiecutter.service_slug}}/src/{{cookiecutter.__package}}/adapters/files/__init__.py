"""Where files go: a folder, or a place elsewhere that the settings name."""

from collections.abc import Callable

from ...config import Settings
from ...service.ports.files import FileStore
from . import (
    disk,
)
from .disk import DiskFileStore
from .memory import MemoryFileStore

__all__ = ["DiskFileStore", "MemoryFileStore", "open_files"]

PLACES: tuple[Callable[[Settings], FileStore | None], ...] = (
    # functions that each open a place elsewhere; None, if the settings do not name it
)


def open_files(settings: Settings) -> FileStore:
    """The first of PLACES that the settings name, else the folder at FILES_PATH."""
    for open_place in PLACES:
        if (place := open_place(settings)) is not None:
            return place
    return disk.DiskFileStore(settings.files_path)
