"""One command's work, in one commit.

The unit of work (Fowler, "Patterns of Enterprise Application Architecture", 2002) is the identity
map of the aggregates a handler asks for. Nothing is written until the message bus commits it, and
what is never committed never was.
"""

from datetime import datetime, timedelta
from typing import TypeVar

import msgspec

from .aggregate import Aggregate
from .codec import Codecs
from .errors import AggregateExists, AggregateNotFound, ConcurrencyError, StoreUnavailable
from .messages import Command, Event, IdSource, Message
from .store import (
    Commit,
    EventStore,
    PendingCommand,
    PendingKey,
    Position,
    RecordedEvent,
    StoredCommit,
    StreamAppend,
)

A = TypeVar("A", bound=Aggregate)


class Envelope(msgspec.Struct, frozen=True):
    """A message on its way through the bus, with what identifies it.

    `causation_id` is the id of the event that led to it, None for a message from outside;
    `correlation_id` is shared by all that one message from outside set in motion; `consumes` names
    the pending command that it is, if it is one.
    """

    message: Message
    message_id: str
    correlation_id: str
    causation_id: str | None = None
    consumes: PendingKey | None = None


class Reader:
    """Reads aggregates and their histories. What a query handler is given."""

    def __init__(self, store: EventStore, codecs: Codecs) -> None:
        self._store, self._codecs = store, codecs

    def get(self, aggregate_type: type[A], aggregate_id: str, at: int | None = None) -> A:
        """The aggregate as of now, or as of version `at`. Raises `AggregateNotFound`."""
        loaded = self._store.load(aggregate_type.stream_of(aggregate_id), at)
        return _fold(self._codecs, aggregate_type, aggregate_id, loaded.commits, at)

    def history(self, aggregate_type: type[Aggregate], aggregate_id: str) -> list[RecordedEvent]:
        """All that happened to the aggregate, in order. Raises `AggregateNotFound`."""
        loaded = self._store.load(aggregate_type.stream_of(aggregate_id))
        if not loaded.commits:
            raise AggregateNotFound(aggregate_type.stream_name, aggregate_id)
        codec = self._codecs.events(aggregate_type)
        return [
            _recorded(event, commit, commit.version + offset)
            for commit in loaded.commits
            for offset, event in enumerate(codec.decode(commit.events))
        ]


class _Enlisted(msgspec.Struct, frozen=True):
    """An aggregate in a unit of work: where its stream ended, and whether others are at work there."""

    aggregate: Aggregate
    position: Position
    pending: list[PendingCommand]


class Committed(msgspec.Struct, frozen=True):
    """What a unit of work left behind. `contended` are the streams in which follow-ups other than
    its own were open when they were loaded."""

    events: tuple[RecordedEvent, ...]
    follow_ups: list[tuple[PendingCommand, Command]]
    contended: frozenset[str]


class UnitOfWork:
    """Hands a command handler its aggregates, and collects the events they record, in order."""

    def __init__(
        self, store: EventStore, codecs: Codecs, envelope: Envelope, now: datetime
    ) -> None:
        self._store, self._codecs, self._envelope, self._now = store, codecs, envelope, now
        self._enlisted: dict[str, _Enlisted] = {}
        self._journal: list[tuple[Aggregate, Event]] = []

    def get(self, aggregate_type: type[A], aggregate_id: str) -> A:
        """The aggregate of this id, the same object each time. Raises `AggregateNotFound`."""
        stream_id = aggregate_type.stream_of(aggregate_id)
        known = self._enlisted.get(stream_id)
        if known is not None:
            if not isinstance(known.aggregate, aggregate_type):
                raise TypeError(
                    f"{stream_id} is a {type(known.aggregate).__name__} in this unit of work"
                )
            return known.aggregate
        loaded = self._store.load(stream_id)
        aggregate = _fold(self._codecs, aggregate_type, aggregate_id, loaded.commits)
        self._enlist(stream_id, _Enlisted(aggregate, loaded.position, loaded.pending))
        return aggregate

    def add(self, aggregate: Aggregate) -> None:
        """Take in a new aggregate. If its id is taken, the commit raises `AggregateExists`."""
        stream_id = aggregate.stream_of(aggregate.id)
        if stream_id in self._enlisted:
            raise AggregateExists(aggregate.stream_name, aggregate.id)
        self._enlist(stream_id, _Enlisted(aggregate, Position.start(stream_id), []))

    def _enlist(self, stream_id: str, enlisted: _Enlisted) -> None:
        self._enlisted[stream_id] = enlisted
        self._journal.extend(enlisted.aggregate.journal)
        enlisted.aggregate.journal = self._journal  # one journal: the order holds across aggregates

    def recorded(self) -> tuple[RecordedEvent, ...]:
        """The events so far, over all aggregates in the order they were recorded."""
        envelope = self._envelope
        ends: dict[str, int] = {}
        recorded = []
        for aggregate, event in self._journal:
            stream_id = aggregate.stream_of(aggregate.id)
            version = ends.get(stream_id) or self._enlisted[stream_id].position.version
            ends[stream_id] = version = version + 1
            recorded.append(
                RecordedEvent(
                    event,
                    f"{stream_id}@{version}",
                    stream_id,
                    version,
                    self._now,
                    envelope.message_id,
                    envelope.correlation_id,
                    envelope.message.message_name,
                )
            )
        return tuple(recorded)

    def commit(
        self,
        recorded: tuple[RecordedEvent, ...],
        decided: list[tuple[RecordedEvent, Command]],
        ids: IdSource,
        *,
        attempts: int,
        due_in: timedelta,
        resends: int,
    ) -> Committed:
        """Write what was recorded and decided, once. The follow-ups begin with so many attempts
        counted, and are due for workers after `due_in`. If the store does not say whether it took the
        commit, the identical one is sent again, at most `resends` times.

        Raises what `EventStore.append` does, and `AggregateExists` for an added aggregate whose id
        is taken.
        """
        follow_ups = self._follow_ups(decided, ids, attempts, due_in) if decided else []
        if recorded or self._envelope.consumes:
            commit = self._commit_of(recorded, follow_ups)
            try:
                self._send(commit, resends)
            except ConcurrencyError as error:
                self._refuse_taken_ids(error)
                raise
        return Committed(recorded, follow_ups, self._contended())

    def _commit_of(
        self,
        recorded: tuple[RecordedEvent, ...],
        follow_ups: list[tuple[PendingCommand, Command]],
    ) -> Commit:
        by_stream: dict[str, list[Event]] = {}
        for event in recorded:
            by_stream.setdefault(event.stream_id, []).append(event.event)
        enlisted = self._enlisted
        return Commit(
            command_id=self._envelope.message_id,
            command=self._envelope.message.message_name,
            correlation_id=self._envelope.correlation_id,
            causation_id=self._envelope.causation_id,
            recorded_at=self._now,
            appends=tuple([self._append(enlisted[name], by_stream[name]) for name in by_stream]),
            follow_ups=tuple([pending for pending, _ in follow_ups]),
            consumes=self._envelope.consumes,
            unchanged=tuple(
                [enlisted[name].position for name in enlisted if name not in by_stream]
            ),
        )

    def _send(self, commit: Commit, resends: int) -> None:
        for _ in range(resends):
            try:
                return self._store.append(commit)
            except StoreUnavailable:
                continue
        return self._store.append(commit)

    def _append(self, enlisted: _Enlisted, events: list[Event]) -> StreamAppend:
        codec = self._codecs.events(type(enlisted.aggregate))
        return StreamAppend(enlisted.position, codec.encode(events), len(events))

    def _follow_ups(
        self,
        decided: list[tuple[RecordedEvent, Command]],
        ids: IdSource,
        attempts: int,
        due_in: timedelta,
    ) -> list[tuple[PendingCommand, Command]]:
        return [
            (
                PendingCommand(
                    PendingKey(
                        cause.stream_id,
                        self._enlisted[cause.stream_id].position.version + 1,
                        ordinal,
                    ),
                    ids.new_id(),
                    self._codecs.commands.encode([command]),
                    cause.event_id,
                    self._envelope.correlation_id,
                    attempts,
                    self._now + due_in,
                ),
                command,
            )
            for ordinal, (cause, command) in enumerate(decided)
        ]

    def _refuse_taken_ids(self, error: ConcurrencyError) -> None:
        for stream_id in error.streams:
            enlisted = self._enlisted[stream_id]
            if enlisted.position == Position.start(stream_id):
                aggregate = enlisted.aggregate
                raise AggregateExists(aggregate.stream_name, aggregate.id) from error

    def _contended(self) -> frozenset[str]:
        own = self._envelope.consumes
        return frozenset(
            [
                pending.key.stream_id
                for enlisted in self._enlisted.values()
                for pending in enlisted.pending
                if pending.key != own
            ]
        )


def _fold(
    codecs: Codecs,
    aggregate_type: type[A],
    aggregate_id: str,
    commits: list[StoredCommit],
    at: int | None = None,
) -> A:
    if not commits:
        raise AggregateNotFound(aggregate_type.stream_name, aggregate_id)
    events = codecs.events(aggregate_type).decode(*[commit.events for commit in commits])
    return aggregate_type(aggregate_id).fold(events[:at])


def _recorded(event: Event, commit: StoredCommit, version: int) -> RecordedEvent:
    return RecordedEvent(
        event,
        f"{commit.stream_id}@{version}",
        commit.stream_id,
        version,
        commit.recorded_at,
        commit.command_id,
        commit.correlation_id,
        commit.command,
    )
