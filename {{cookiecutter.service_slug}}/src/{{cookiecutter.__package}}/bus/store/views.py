"""The port to the read models: rows that a projection keeps, beside the events in the same store.

A row is made from the events of one stream, up to a version. Of two rows with one key, the one with
the higher version is the newer, whoever wrote it and when. So a write that is repeated, late or out of
order changes nothing.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

import msgspec


class ViewRow(msgspec.Struct, frozen=True, gc=False):
    """A row of a read model. `label` is what lists are filtered by, `sort` (then `key`) what they
    are sorted by, as text; both may be at most 200 characters of ASCII. `data` is the rest, as JSON."""

    key: str
    version: int
    label: str
    sort: str
    data: str

    @property
    def place(self) -> tuple[str, str]:
        """Where the row stands in a list."""
        return (self.sort, self.key)


class Views(Protocol):
    """The port. Safe for any number of threads; each call raises `StoreUnavailable` when the store
    does not answer in a bounded time."""

    def rows(self, view: str, keys: Sequence[str]) -> Mapping[str, ViewRow]:
        """The rows of these keys, of those that are there."""
        ...

    def put(self, view: str, rows: Sequence[ViewRow]) -> None:
        """Write each row, unless one of its key is there with the same or a higher version."""
        ...

    def find(
        self,
        view: str,
        labels: Sequence[str],
        limit: int,
        after: tuple[str, str] | None = None,
    ) -> list[ViewRow]:
        """The rows with one of these labels, at most `limit`, from the end of the sort order
        backward: those that come after this place in the list."""
        ...

    def clear(self, view: str) -> None:
        """Delete all rows of this view."""
        ...

    def cell(self, name: str) -> str | None:
        """A text kept under a name: a checkpoint, say."""
        ...

    def set_cell(self, name: str, text: str, was: str | None) -> bool:
        """Keep this text under the name, if what is kept there is still `was`."""
        ...
