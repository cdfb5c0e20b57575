"""The event store: the ports by role, united."""

from typing import Protocol

from .log import Log
from .pending import PendingCommands
from .transfer import Transfer
from .views import Views


class EventStore(Log, PendingCommands, Transfer, Protocol):
    """What an adapter implements. Safe for any number of threads; every adapter passes the one
    contract suite.

    Each call raises `StoreUnavailable` when the store does not answer in a bounded time.
    """

    @property
    def views(self) -> Views:
        """The read models, in the same store."""
        ...

    def ping(self) -> None:
        """Return if the store can be read."""
        ...

    def close(self) -> None:
        """Release what the adapter holds."""
        ...
