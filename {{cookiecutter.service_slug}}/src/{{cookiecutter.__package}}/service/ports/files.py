"""Where the service puts files, and gets them from."""

from typing import Protocol


class FileStore(Protocol):
    """A place for files."""

    def put(self, name: str, content: bytes) -> str:
        """Write a file atomically, over any of the same name. Returns where it is.

        `name` is a relative path with ``/``. Calling it again with the same arguments changes
        nothing, so a command that runs twice leaves one file.
        """
        ...

    def get(self, name: str) -> bytes:
        """The content of a file. Raises `FileNotFoundError`."""
        ...
