"""The feed with a checkpoint: whoever subscribes is given every commit, at least once."""

from collections.abc import Callable

from .store import EventStore, StoredCommit

Receive = Callable[[list[StoredCommit]], None]


class Subscription:
    """Gives the commits of the feed to a subscriber, and keeps where it stands under a name.

    A commit may come again, after a fault or from another process that runs the same subscription:
    the subscriber is to be idempotent. Of one thread.
    """

    def __init__(self, store: EventStore, name: str, receive: Receive) -> None:
        self._store, self._receive = store, receive
        self._cell = f"checkpoint/{name}"
        self._kept: str | None = None
        self._at: str | None = None
        self._known = False

    def advance(self, limit: int = 1000) -> bool:
        """Give the subscriber the next page, if there is one, and only then move the checkpoint.
        Returns whether asking again at once is worth it. Raises what the subscriber raises, and
        `StoreUnavailable`.

        A checkpoint that moved past nothing is not written: where the feed is of all that changes in
        a table, the note would be news itself, and the news be noted, for ever.
        """
        if not self._known:
            self._kept = self._at = self._store.views.cell(self._cell)
            self._known = True
        page = self._store.feed(self._at, limit)
        if page.commits:
            self._receive(page.commits)
            # if another process was faster, see next time where it stands
            self._known = self._store.views.set_cell(self._cell, page.checkpoint, self._kept)
            self._kept = page.checkpoint
        self._at = page.checkpoint
        return page.more or not self._known

    def lag(self, limit: int = 1000) -> list[StoredCommit]:
        """What the subscriber has not been given yet: at most about `limit` commits of it."""
        return self._store.feed(self._store.views.cell(self._cell), limit).commits
