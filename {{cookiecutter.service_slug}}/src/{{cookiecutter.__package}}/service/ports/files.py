"""Where the service puts files, and gets them from."""

from typing import Protocol


class FileStore(Protocol):
    """A place for files."""

    def put(self, name: str, content: bytes) -> str:
        """Write a file, whole or not at all, over any of the same name. Returns where it is.

        `name` is a relative path with ``/``. Called again with the same arguments, it changes
        nothing: so a command that is run twice leaves one file.
        """
        ...

    def get(self, name: str) -> bytes:
        """The content of a file. Raises `FileNotFoundError`."""
        ...
