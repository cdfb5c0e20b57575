"""Subscriptions: subscribers that follow the feed, each from its own checkpoint."""

from collections.abc import Callable, Iterable, Sequence
from threading import Event
from typing import Protocol

from ..store.commit import StoredCommit
from ..store.event_store import EventStore


class Subscriber(Protocol):
    """Receives every commit of the feed. A projector is one kind of subscriber."""

    @property
    def name(self) -> str:
        """The name of its checkpoint: once in use, it must not change."""
        ...

    def receive(self, commits: Sequence[StoredCommit]) -> None:
        """Process these commits; those of one stream come in order. This must be idempotent: a
        commit may come again, after a fault or from another process. If this raises, all of them
        come again."""
        ...


Unseen = Callable[[Sequence[StoredCommit]], list[StoredCommit]]
"""Gives those of the commits that a subscriber has not processed yet."""


class Subscription:
    """Gives the commits of the feed to one subscriber, and stores a checkpoint of how far it is.
    For one thread at a time."""

    def __init__(
        self, store: EventStore, subscriber: Subscriber, unseen: Unseen | None = None
    ) -> None:
        self.subscriber = subscriber
        self._store, self._unseen = store, unseen or list
        self._cell = f"checkpoint/{subscriber.name}"
        self._stored_checkpoint: str | None = None
        self._checkpoint: str | None = None
        self._checkpoint_is_loaded = False

    def advance(self, limit: int = 1000) -> bool:
        """Give the subscriber the next page, if there is one, and then store the checkpoint.
        Returns whether the caller should ask again at once. Raises what the subscriber raises, and
        `StoreUnavailable`.

        An empty page writes no checkpoint. The feed of a store may report every write to it, so
        writing the checkpoint would itself be reported, and the loop would never end.
        """
        if not self._checkpoint_is_loaded:
            self._stored_checkpoint = self._checkpoint = self._store.views.cell(self._cell)
            self._checkpoint_is_loaded = True
        page = self._store.feed(self._checkpoint, limit)
        if page.commits:
            try:
                self.subscriber.receive(page.commits)
            except (Exception, KeyboardInterrupt):
                raise
            except BaseException as error:  # `SystemExit` would end this thread, unseen
                raise RuntimeError(f"a subscriber raised {error!r}") from error
            # Compare-and-set: if another process was faster, load its checkpoint next time.
            self._checkpoint_is_loaded = self._store.views.set_cell(
                self._cell, page.checkpoint, self._stored_checkpoint
            )
            self._stored_checkpoint = page.checkpoint
        self._checkpoint = page.checkpoint
        return page.more or not self._checkpoint_is_loaded

    def lag(self, limit: int = 1000) -> list[StoredCommit]:
        """The commits that the subscriber has not processed yet, of about the next `limit`
        commits, with those that the feed holds back."""
        checkpoint = self._store.views.cell(self._cell)
        return self._unseen(self._store.visible(checkpoint, limit).commits)


Report = Callable[[str, Exception], None]
"""A callback that is given the name of a subscriber that failed, and its error."""

Works = Callable[[str], object]
"""A callback that is given the name of a subscriber each time that it did not fail."""


def advance_all(
    subscriptions: Iterable[Subscription],
    report: Report,
    limit: int = 1000,
    *,
    works: Works | None = None,
) -> bool:
    """Advance each subscription by a page of about `limit` commits. If one fails, its error
    is reported and the others go on. Returns whether the caller should ask again at once."""
    more = False
    for subscription in subscriptions:
        name = subscription.subscriber.name
        try:
            more = subscription.advance(limit) or more
        except Exception as error:
            report(name, error)
        else:
            if works:
                works(name)
    return more


def follow(
    subscriptions: Sequence[Subscription],
    stop: Event,
    interval: float,
    report: Report,
    *,
    works: Works | None = None,
) -> None:
    """Keep the subscribers up to date until `stop` is set. If there is nothing new, look again
    after `interval` seconds. Each time, every subscriber is either reported or said to work."""
    while not stop.is_set():
        if not advance_all(subscriptions, report, works=works):
            stop.wait(interval)
