"""The repository: aggregates from their streams (Evans, "Domain-Driven Design", 2003, chapter 6)."""

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
    """An aggregate as it was loaded: where its stream ended, what was open in it, and the version of
    the snapshot that it was made from, or 0."""

    aggregate: A
    position: Position
    pending: list[PendingCommand]
    snapshot: int = 0


class Repository:
    """Folds aggregates from what the store holds, beginning at a snapshot where there is one."""

    def __init__(self, store: EventStore, codecs: Codecs, snapshots: Snapshots) -> None:
        self.store, self.codecs, self.snapshots = store, codecs, snapshots

    def load(self, aggregate_type: type[A], aggregate_id: str, at: int | None = None) -> Loaded[A]:
        """The aggregate as of now, or as of version `at`. Raises `AggregateNotFound`."""
        stream_id = aggregate_type.stream_of(aggregate_id)
        fingerprint = self.snapshots.fingerprint(aggregate_type) if at is None else ""
        loaded = self.store.load(stream_id, at, fingerprint=fingerprint)
        aggregate, kept = None, loaded.snapshot
        if kept:
            aggregate = self.snapshots.restore(aggregate_type, aggregate_id, kept)
            if aggregate is None:  # damaged: a later commit replaces it
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
        else:  # it ends within a commit
            events = [event for text in loaded.events for event in codec.decode(text)]
            aggregate.fold(events[:at])
        return Loaded(aggregate, loaded.position, loaded.pending, since)
