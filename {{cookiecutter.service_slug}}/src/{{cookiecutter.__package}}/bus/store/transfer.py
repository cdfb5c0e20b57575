"""Transfer: the port that moves all data from one store to another."""

from collections.abc import Iterator, Sequence
from typing import Protocol

from .commit import StoredCommit
from .idempotency import IdempotencyRecord
from .pending import PendingCommand

Stored = StoredCommit | PendingCommand | IdempotencyRecord
"""The data of a store that cannot be derived from other data. Snapshots and read models can."""


class Transfer(Protocol):
    """The port."""

    def dump(self) -> Iterator[Stored]:
        """All data of the store, as of one moment if the store can read so: the commits in the
        order of the feed, the pending commands (parked ones too), the idempotency records."""
        ...

    def restore(self, batch: Sequence[Stored]) -> None:
        """Write the data that another store has dumped, in the same order. It does not overwrite: a
        batch that is sent again changes nothing."""
        ...
