"""The port to the read models: the rows of projections, in the same store as the events.

A row is folded from the events of one stream, up to a version. Of two rows with the same key, the
one with the higher version is newer, whichever process wrote it and when. So a write that is
repeated, late or out of order changes nothing.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

import msgspec


class ViewRow(msgspec.Struct, frozen=True, gc=False):
    """A row of a read model. Lists are filtered by `label` and sorted by `sort`, then by `key`, as
    text. `label` and `sort` have at most 200 ASCII characters. `data` is the row as JSON."""

    key: str
    version: int
    label: str
    sort: str
    data: str

    @property
    def place(self) -> tuple[str, str]:
        """The row's place in the order of a list."""
        return (self.sort, self.key)


class Views(Protocol):
    """The port. Safe for any number of threads; each call raises `StoreUnavailable` when the store
    does not answer in a bounded time."""

    def rows(self, view: str, keys: Sequence[str]) -> Mapping[str, ViewRow]:
        """The rows with these keys, as far as they exist."""
        ...

    def put(self, view: str, rows: Sequence[ViewRow]) -> None:
        """Write each row, unless a row with the same key and the same or a higher version is
        stored."""
        ...

    def find(
        self,
        view: str,
        labels: Sequence[str],
        limit: int,
        after: tuple[str, str] | None = None,
    ) -> list[ViewRow]:
        """The rows with one of these labels, at most `limit`, in descending order of `place`. With
        `after`, only the rows that follow this place in the list."""
        ...

    def clear(self, view: str) -> None:
        """Delete all rows of this view."""
        ...

    def cell(self, name: str) -> str | None:
        """The text stored under a name, such as a checkpoint; None if there is none."""
        ...

    def set_cell(self, name: str, text: str, was: str | None) -> bool:
        """Compare-and-set: store this text if the text stored under the name is still `was`. False
        if it is another."""
        ...
