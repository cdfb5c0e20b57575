"""Moving from one store to another: the port to all that a store holds."""

from collections.abc import Iterator, Sequence
from typing import Protocol

from .commit import StoredCommit
from .idempotency import IdempotencyRecord
from .pending import PendingCommand

Stored = StoredCommit | PendingCommand | IdempotencyRecord
"""What a store holds that cannot be made again. The rest are caches and read models."""


class Transfer(Protocol):
    """The port."""

    def dump(self) -> Iterator[Stored]:
        """All that the store holds, as of one moment where the store can do that: the commits in the
        order of the feed, the pending commands (parked ones too), the idempotency records."""
        ...

    def restore(self, batch: Sequence[Stored]) -> None:
        """Write what another store has dumped, in the order it came. It does not overwrite: a batch
        that is sent again changes nothing."""
        ...
