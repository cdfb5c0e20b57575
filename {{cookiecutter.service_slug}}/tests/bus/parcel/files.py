"""The port of the parcels: where they are archived."""

from pathlib import Path
from typing import Protocol

from {{ cookiecutter.__package }}.config import Settings


class FileStore(Protocol):
    """A place for files."""

    def put(self, name: str, content: bytes) -> str:
        """Write a file, over any of the same name. Returns where it is."""
        ...


class MemoryFileStore:
    """A dictionary."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}

    def put(self, name: str, content: bytes) -> str:
        self.files[name] = content
        return f"memory:{name}"


class DiskFileStore:
    """A folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()

    def put(self, name: str, content: bytes) -> str:
        path = self._folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path.as_uri()


def open_files(settings: Settings) -> FileStore:
    """The folder `files` beside the file of SQLITE_PATH, whatever the store is; with the store in
    memory, a dictionary."""
    if settings.store == "memory":
        return MemoryFileStore()
    return DiskFileStore(settings.sqlite_path.parent / "files")
