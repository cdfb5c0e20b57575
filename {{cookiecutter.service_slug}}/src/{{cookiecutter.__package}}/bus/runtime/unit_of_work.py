"""The unit of work on the event store: the changes of one command, in one commit."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from operator import itemgetter
from typing import Any, TypeVar

import msgspec

from ..model.aggregate import Aggregate
from ..model.clock import Clock
from ..model.context import Context
from ..model.errors import (
    AggregateExists,
    AggregateNotFound,
    ConcurrencyError,
    DuplicateCommand,
    StoreError,
    StoreUnavailable,
)
from ..model.handlers import Follows
from ..model.ids import IdSource
from ..model.messages import Command, Event
from ..model.recorded_event import RecordedEvent
from ..store.commit import Commit
from ..store.idempotency import Idempotency, IdempotencyRecord
from ..store.pending import PendingCommand, PendingKey
from ..store.stream import Position, StreamAppend
from .dispatch import Dispatch
from .envelope import Envelope
from .pending_maker import PendingMaker, RunsInline
from .repository import Loaded, Repository

A = TypeVar("A", bound=Aggregate)

OWN_SCOPE = "command"
"""The scope of the idempotency record that a command without events writes under its own id."""

FIRST_YEAR, LAST_YEAR = 2, 9998
"""The years that a command may be due in. A day before them or after them may be of no year that
Python has, in another time zone."""

Decide = Callable[[RecordedEvent], Iterable[Follows]]
Decisions = Mapping[type[Event], tuple[Decide, ...]]
"""For each type of event, the functions that decide which commands follow."""


class Committed(msgspec.Struct, frozen=True, gc=False):
    """What a unit of work has written. `follow_ups` are those that are to run at once. `contended`
    are the ids of streams that had other open in-order follow-ups when they were loaded, or perhaps
    had. `parked` are the follow-ups that were written as dead letters, to end a loop. `for_workers`
    are the ids of streams with a follow-up that a worker may run at once."""

    events: tuple[RecordedEvent, ...]
    follow_ups: Sequence[tuple[PendingCommand, Command]] = ()
    contended: frozenset[str] = frozenset()
    parked: Sequence[PendingCommand] = ()
    for_workers: Collection[str] = ()


class StoreUnitOfWork:
    """Gives a command handler its aggregates, and commits the events that they recorded, in order.

    A command handler sees only what `UnitOfWork` declares. Only the message bus calls `commit`.
    """

    def __init__(self, repository: Repository, envelope: Envelope, clock: Clock) -> None:
        self._repository, self._envelope, self._clock = repository, envelope, clock
        self._now = clock.now()
        self._store, self._codecs = repository.store, repository.codecs
        self._enlisted: dict[str, Loaded[Any]] = {}
        self._added: tuple[str, ...] = ()
        self._scheduled: list[tuple[Command, datetime]] = []

    @property
    def context(self) -> Context:
        return self._envelope.context

    @property
    def command_id(self) -> str:
        return self._envelope.message_id

    def get(self, aggregate_type: type[A], aggregate_id: str) -> A:
        stream_id = aggregate_type.stream_of(aggregate_id)
        enlisted = self._enlisted.get(stream_id)
        if enlisted is None:
            enlisted = self._repository.load(aggregate_type, aggregate_id)
            self._enlisted[stream_id] = enlisted
        aggregate = enlisted.aggregate
        if not isinstance(aggregate, aggregate_type):
            raise TypeError(f"{stream_id} is a {type(aggregate).__name__} in this unit of work")
        return aggregate

    def get_or_new(self, aggregate_type: type[A], aggregate_id: str) -> A:
        try:
            return self.get(aggregate_type, aggregate_id)
        except AggregateNotFound:
            stream_id, new = aggregate_type.stream_of(aggregate_id), aggregate_type(aggregate_id)
            self._enlisted[stream_id] = Loaded(new, Position.start(stream_id), [])
            return new

    def add(self, aggregate: Aggregate) -> None:
        stream_id = aggregate.stream_of(aggregate.id)
        if stream_id in self._enlisted:
            raise AggregateExists(aggregate.stream_name, aggregate.id)
        self._enlisted[stream_id] = Loaded(aggregate, Position.start(stream_id), [])
        self._added += (stream_id,)

    def schedule(self, command: Command, at: datetime) -> None:
        if at.tzinfo is None:
            raise ValueError(f"{type(command).__name__}: the time it is due has no time zone: {at}")
        if not FIRST_YEAR <= at.year <= LAST_YEAR:
            raise ValueError(
                f"{type(command).__name__}: the time it is due is not within the years {FIRST_YEAR}"
                f" to {LAST_YEAR}: {at}"
            )
        self._scheduled.append((command, at))

    def commit(
        self,
        decisions: Decisions,
        ids: IdSource,
        dispatch: Dispatch,
        *,
        resends: int,
        runs_inline: RunsInline,
    ) -> Committed:
        """Write the recorded events and the commands that follow from them, in one commit. Those
        that are to run inline are stored with one attempt counted, as claimed; the others are due
        at once. If the store does not answer, the identical commit is sent again, at most `resends`
        times.

        Raises what `Log.append` raises, `AggregateExists` if the id of an added aggregate is taken,
        `ConfigurationError` for a follow-up that has no handler, and what an event handler raises.
        """
        recorded = self._recorded()
        decided = [
            (event, follows)
            for event in recorded
            for decide in decisions.get(type(event.event), ())
            for follows in decide(event)
        ]
        make = None
        if decided or self._scheduled:
            make = PendingMaker(
                self._repository,
                self._envelope,
                self._now,
                ids,
                dispatch,
                runs_inline=runs_inline,
            )
            make.follow(decided, self._first, self._clock.now())
            self._schedule(make, recorded, len(decided))
        envelope = self._envelope
        if recorded or make or envelope.consumes or envelope.idempotency:
            commit = self._commit_of(recorded, tuple(make.rows) if make else ())
            try:
                self._send(commit, resends)
            except ConcurrencyError as error:
                self._refuse_taken_ids(error)
                raise
            if self._repository.snapshots.every:
                self._take_snapshots(commit)
        if make is None:
            return Committed(recorded)
        return Committed(recorded, make.at_once, self._contended(), make.parked, make.for_workers)

    def _recorded(self) -> tuple[RecordedEvent, ...]:
        """The events over all aggregates, in the order they were recorded."""
        enlisted, envelope = self._enlisted, self._envelope
        ends: dict[str, int] = {}
        recorded = []
        for stream_id, event in self._journal():
            version = ends.get(stream_id) or enlisted[stream_id].position.version
            ends[stream_id] = version = version + 1
            recorded.append(
                RecordedEvent(
                    event,
                    f"{stream_id}@{version}",
                    stream_id,
                    version,
                    self._now,
                    envelope.message_id,
                    envelope.context,
                    envelope.message.message_name,
                )
            )
        return tuple(recorded)

    def _journal(self) -> list[tuple[str, Event]]:
        """The events over all aggregates with their streams, in the order they were recorded."""
        enlisted = self._enlisted
        if len(enlisted) == 1:
            ((stream_id, only),) = enlisted.items()
            return [(stream_id, event) for _, event in only.aggregate.journal]
        journal = [
            (order, stream_id, event)
            for stream_id, each in enlisted.items()
            for order, event in each.aggregate.journal
        ]
        return [(stream_id, event) for _, stream_id, event in sorted(journal, key=itemgetter(0))]

    def _commit_of(
        self, recorded: tuple[RecordedEvent, ...], pending: tuple[PendingCommand, ...]
    ) -> Commit:
        by_stream: dict[str, list[Event]] = {}
        for event in recorded:
            by_stream.setdefault(event.stream_id, []).append(event.event)
        enlisted, envelope = self._enlisted, self._envelope
        appends = tuple([self._append(enlisted[name], by_stream[name]) for name in by_stream])
        unchanged = (
            [enlisted[name].position for name in enlisted if name not in by_stream]
            if len(enlisted) > len(by_stream)
            else ()
        )
        key = envelope.idempotency
        if not (key or appends or envelope.consumes):
            # Nothing else in the commit shows that it was written before, if it is sent again.
            key = Idempotency(OWN_SCOPE, envelope.message_id, "")
        return Commit(
            command_id=envelope.message_id,
            command=envelope.message.message_name,
            context=envelope.context,
            recorded_at=self._now,
            appends=appends,
            follow_ups=pending,
            consumes=envelope.consumes,
            unchanged=tuple(unchanged),
            idempotency=self._record(key, appends) if key else None,
        )

    def _record(
        self, idempotency: Idempotency, appends: tuple[StreamAppend, ...]
    ) -> IdempotencyRecord:
        return IdempotencyRecord(
            idempotency.identity(),
            self._envelope.message_id,
            tuple([append.after for append in appends]),
            self._now + idempotency.kept,
        )

    def _send(self, commit: Commit, resends: int) -> None:
        for left in range(resends, -1, -1):
            try:
                self._store.append(commit)
            except StoreUnavailable:
                if not left:
                    raise
                continue
            except DuplicateCommand:
                # No other command has a record under this one's id. So the commit was written
                # before, and its answer was lost.
                if not commit.idempotency or commit.idempotency.idempotency.scope != OWN_SCOPE:
                    raise
            return

    def _append(self, enlisted: Loaded[Any], events: list[Event]) -> StreamAppend:
        codec = self._codecs.events(type(enlisted.aggregate))
        return StreamAppend(enlisted.position, codec.encode(events), len(events))

    def _schedule(
        self, make: PendingMaker, recorded: tuple[RecordedEvent, ...], ordinal: int
    ) -> None:
        """Make the pending commands of what was scheduled. Their keys name the first stream that
        has an event in the commit; without events, the stream ``command/<command id>``."""
        command_id = self._envelope.message_id
        stream_id, version, cause = f"{OWN_SCOPE}/{command_id}", 0, command_id
        if recorded:
            stream_id, cause = recorded[0].stream_id, recorded[0].event_id
            version = self._first(stream_id)
        for number, (command, at) in enumerate(self._scheduled, ordinal):
            make.later(PendingKey(stream_id, version, number), command, cause, at)

    def _first(self, stream_id: str) -> int:
        """The version of the first event that this commit adds to the stream."""
        return self._enlisted[stream_id].position.version + 1

    def _take_snapshots(self, commit: Commit) -> None:
        snapshots = self._repository.snapshots
        for append in commit.appends:
            enlisted = self._enlisted[append.after.stream_id]
            if snapshots.are_due(enlisted.aggregate, enlisted.snapshot):
                snapshot = snapshots.take(enlisted.aggregate)
                with suppress(StoreError):  # a snapshot is only a cache
                    if snapshot:
                        self._store.save_snapshot(snapshot)

    def _refuse_taken_ids(self, error: ConcurrencyError) -> None:
        for stream_id in set(self._added).intersection(error.streams):
            aggregate = self._enlisted[stream_id].aggregate
            raise AggregateExists(aggregate.stream_name, aggregate.id) from error

    def _contended(self) -> frozenset[str]:
        own = self._envelope.consumes
        return frozenset(
            [
                stream_id
                for stream_id, enlisted in self._enlisted.items()
                if enlisted.more
                or any(each.key != own and each.in_order for each in enlisted.pending)
            ]
        )
