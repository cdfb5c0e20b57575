"""One command's work, in one commit.

The unit of work (Fowler, "Patterns of Enterprise Application Architecture", 2002) is the identity
map of the aggregates a handler asks for. Nothing is written until the message bus commits it, and
what is never committed never was.
"""

from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, TypeVar

import msgspec

from .aggregate import Aggregate
from .errors import AggregateExists, ConcurrencyError, StoreError, StoreUnavailable
from .messages import Command, Event, IdSource, Message
from .repository import Loaded, Repository
from .store import (
    Commit,
    Idempotency,
    IdempotencyRecord,
    PendingCommand,
    PendingKey,
    Position,
    RecordedEvent,
    StreamAppend,
)

A = TypeVar("A", bound=Aggregate)

KEY_KEPT = timedelta(days=7)
"""How long an idempotency key is on record."""


class Envelope(msgspec.Struct, frozen=True, gc=False):
    """A message on its way through the bus, with what identifies it.

    `causation_id` is the id of the event that led to it, None for a message from outside;
    `correlation_id` is shared by all that one message from outside set in motion; `consumes` names
    the pending command that it is, if it is one; `idempotency`, the key it was sent under.
    """

    message: Message
    message_id: str
    correlation_id: str
    causation_id: str | None = None
    consumes: PendingKey | None = None
    idempotency: Idempotency | None = None


class Committed(msgspec.Struct, frozen=True, gc=False):
    """What a unit of work left behind. `contended` are the streams in which follow-ups other than
    its own were open when they were loaded."""

    events: tuple[RecordedEvent, ...]
    follow_ups: list[tuple[PendingCommand, Command]]
    contended: frozenset[str]


class UnitOfWork:
    """Hands a command handler its aggregates, and collects the events they record, in order."""

    def __init__(self, repository: Repository, envelope: Envelope, now: datetime) -> None:
        self._repository, self._envelope, self._now = repository, envelope, now
        self._store, self._codecs = repository.store, repository.codecs
        self._enlisted: dict[str, Loaded[Any]] = {}
        self._journal: list[tuple[str, Event]] = []
        self._scheduled: list[tuple[Command, datetime]] = []

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
        loaded = self._repository.load(aggregate_type, aggregate_id)
        self._enlist(stream_id, loaded)
        return loaded.aggregate

    def add(self, aggregate: Aggregate) -> None:
        """Take in a new aggregate. If its id is taken, the commit raises `AggregateExists`."""
        stream_id = aggregate.stream_of(aggregate.id)
        if stream_id in self._enlisted:
            raise AggregateExists(aggregate.stream_name, aggregate.id)
        self._enlist(stream_id, Loaded(aggregate, Position.start(stream_id), []))

    def schedule(self, command: Command, at: datetime) -> None:
        """Have this command run at a time to come: it is committed with the events, and a worker
        takes it up once it is due. It waits for no other command of its stream, nor holds one back.

        Raises `ValueError` for a time without a time zone.
        """
        if at.tzinfo is None:
            raise ValueError(f"{type(command).__name__}: the time it is due has no time zone: {at}")
        self._scheduled.append((command, at))

    def _enlist(self, stream_id: str, enlisted: Loaded[Any]) -> None:
        self._enlisted[stream_id] = enlisted
        self._journal.extend(enlisted.aggregate.journal)
        enlisted.aggregate.journal = self._journal  # one journal: the order holds across aggregates

    def recorded(self) -> tuple[RecordedEvent, ...]:
        """The events so far, over all aggregates in the order they were recorded."""
        envelope = self._envelope
        ends: dict[str, int] = {}
        recorded = []
        for stream_id, event in self._journal:
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
        scheduled = self._due_later(recorded, len(decided), ids) if self._scheduled else []
        envelope = self._envelope
        if recorded or scheduled or envelope.consumes or envelope.idempotency:
            rows = [row for row, _ in follow_ups] + scheduled
            commit = self._commit_of(recorded, tuple(rows))
            try:
                self._send(commit, resends)
            except ConcurrencyError as error:
                self._refuse_taken_ids(error)
                raise
            self._take_snapshots(commit)
        return Committed(recorded, follow_ups, self._contended() if follow_ups else frozenset())

    def _commit_of(
        self,
        recorded: tuple[RecordedEvent, ...],
        pending: tuple[PendingCommand, ...],
    ) -> Commit:
        by_stream: dict[str, list[Event]] = {}
        for event in recorded:
            by_stream.setdefault(event.stream_id, []).append(event.event)
        enlisted, envelope = self._enlisted, self._envelope
        unchanged = [enlisted[name].position for name in enlisted if name not in by_stream]
        appends = tuple([self._append(enlisted[name], by_stream[name]) for name in by_stream])
        return Commit(
            command_id=envelope.message_id,
            command=envelope.message.message_name,
            correlation_id=envelope.correlation_id,
            causation_id=envelope.causation_id,
            recorded_at=self._now,
            appends=appends,
            follow_ups=pending,
            consumes=envelope.consumes,
            unchanged=tuple(unchanged),
            idempotency=self._record(envelope.idempotency, appends)
            if envelope.idempotency
            else None,
        )

    def _record(
        self, idempotency: Idempotency, appends: tuple[StreamAppend, ...]
    ) -> IdempotencyRecord:
        return IdempotencyRecord(
            idempotency,
            self._envelope.message_id,
            tuple([append.after for append in appends]),
            self._now + KEY_KEPT,
        )

    def _send(self, commit: Commit, resends: int) -> None:
        for _ in range(resends):
            try:
                return self._store.append(commit)
            except StoreUnavailable:
                continue
        return self._store.append(commit)

    def _append(self, enlisted: Loaded[Any], events: list[Event]) -> StreamAppend:
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

    def _due_later(
        self, recorded: tuple[RecordedEvent, ...], ordinal: int, ids: IdSource
    ) -> list[PendingCommand]:
        """What was scheduled. It is kept with the first stream that has an event in the commit; with
        none, under the name of the command."""
        envelope = self._envelope
        stream_id, version, cause = f"command/{envelope.message_id}", 0, envelope.message_id
        if recorded:
            stream_id, cause = recorded[0].stream_id, recorded[0].event_id
            version = self._enlisted[stream_id].position.version + 1
        return [
            PendingCommand(
                PendingKey(stream_id, version, ordinal + number),
                ids.new_id(),
                self._codecs.commands.encode([command]),
                cause,
                envelope.correlation_id,
                0,
                at,
                in_order=False,
            )
            for number, (command, at) in enumerate(self._scheduled)
        ]

    def _take_snapshots(self, commit: Commit) -> None:
        snapshots = self._repository.snapshots
        for append in commit.appends:
            enlisted = self._enlisted[append.after.stream_id]
            if snapshots.are_due(enlisted.aggregate, enlisted.snapshot):
                snapshot = snapshots.take(enlisted.aggregate)
                with suppress(StoreError):  # a cache: the commit stands without it
                    if snapshot:
                        self._store.save_snapshot(snapshot)

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
                if pending.key != own and pending.in_order
            ]
        )
