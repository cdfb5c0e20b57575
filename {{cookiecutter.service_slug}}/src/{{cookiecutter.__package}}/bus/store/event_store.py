"""The event store: one port that unites the ports by role."""

from typing import Protocol

from .log import Log
from .pending import PendingCommands
from .transfer import Transfer
from .views import Views


class EventStore(Log, PendingCommands, Transfer, Protocol):
    """What an adapter implements. Safe for any number of threads. Every adapter passes the same
    contract suite.

    Each call raises `StoreUnavailable` when the store does not answer in a bounded time.
    """

    @property
    def views(self) -> Views:
        """The read models, in the same store."""
        ...

    def ping(self) -> None:
        """Return if the store can be read; otherwise raise."""
        ...

    def close(self) -> None:
        """Release the adapter's connections and files."""
        ...
