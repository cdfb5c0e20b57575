"""What the service needs from outside, as Protocols. `adapters/` holds what serves them."""

from typing import Protocol


class Unavailable(Exception):
    """Something outside does not answer, or not as it should: nobody's mistake here, and a matter of
    time. A follow-up is tried again; a caller is asked to come back."""


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
