"""The repository: loads aggregates from their streams (Evans, "Domain-Driven Design", 2003, ch.
6)."""

from typing import Generic, TypeVar

import msgspec

from ..model.aggregate import Aggregate
from ..model.errors import AggregateNotFound
from ..store.codec import Codecs
from ..store.event_store import EventStore
from ..store.pending import PendingCommand
from ..store.stream import Position
from .snapshots import Snapshots

A = TypeVar("A", bound=Aggregate)


class Loaded(msgspec.Struct, Generic[A], frozen=True):
    """An aggregate as it was loaded: the position of its stream, the open pending commands in it,
    the version of the snapshot that the fold began with, or 0, and whether there may be `more` open
    pending commands."""

    aggregate: A
    position: Position
    pending: list[PendingCommand]
    snapshot: int = 0
    more: bool = False


class Repository:
    """Folds aggregates from the events in the store, beginning at a snapshot if there is one."""

    def __init__(self, store: EventStore, codecs: Codecs, snapshots: Snapshots) -> None:
        self.store, self.codecs, self.snapshots = store, codecs, snapshots

    def load(self, aggregate_type: type[A], aggregate_id: str, at: int | None = None) -> Loaded[A]:
        """The aggregate as of now, or as of version `at`. Raises `AggregateNotFound`."""
        stream_id = aggregate_type.stream_of(aggregate_id)
        fingerprint = self.snapshots.fingerprint(aggregate_type) if at is None else ""
        loaded = self.store.load(stream_id, at, fingerprint=fingerprint)
        aggregate, snapshot = None, loaded.snapshot
        if snapshot:
            aggregate = self.snapshots.restore(aggregate_type, aggregate_id, snapshot)
            if aggregate is None:  # the snapshot is damaged; a later commit replaces it
                loaded = self.store.load(stream_id)
        if aggregate is None:
            if not loaded.events:
                raise AggregateNotFound(aggregate_type.stream_name, aggregate_id)
            aggregate = aggregate_type(aggregate_id)
        since = aggregate.version
        codec = self.codecs.events(aggregate_type)
        if at is None or at >= loaded.position.version:
            codec.replay(loaded.events, aggregate)
            aggregate.version = loaded.position.version
        else:  # version `at` is in the middle of a commit
            events = [event for text in loaded.events for event in codec.decode(text)]
            aggregate.fold(events[:at])
        return Loaded(aggregate, loaded.position, loaded.pending, since, loaded.more)
