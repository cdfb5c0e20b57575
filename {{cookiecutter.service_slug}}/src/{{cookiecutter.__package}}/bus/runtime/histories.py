"""What happened, and what came of it: histories, states, and all that belongs to one correlation id."""

import inspect
from collections.abc import Iterable, Iterator
from datetime import datetime
from graphlib import TopologicalSorter
from heapq import heappop, heappush
from typing import Any

import msgspec

from ..model.aggregate import Aggregate
from ..model.context import Context
from ..model.errors import AggregateNotFound, UnknownEvent
from ..model.messages import Event
from ..model.recorded_event import RecordedEvent
from ..store.codec import Unknown
from ..store.commit import StoredCommit
from ..store.log import Progress
from .message_bus import MessageBus
from .repository import Repository
from .snapshots import Snapshots

MAX_NAME_BYTES = 1024
"""The limit of a context, and more than the key of a stream has in every store."""


class NotFound(Exception):
    """What was asked for is not there. The message says what there is."""


class UnknownRecord(msgspec.Struct, frozen=True):
    """An event in the log that this code does not know, as far as it can be told. The other fields
    are those of `RecordedEvent`."""

    event: Unknown
    event_id: str
    stream_id: str
    version: int
    recorded_at: datetime
    causation_id: str
    context: Context
    command: str


Listed = RecordedEvent | UnknownRecord
"""An event in a listing."""


class State(msgspec.Struct, frozen=True):
    """An aggregate as of a version: its public attributes, as they are."""

    aggregate: type[Aggregate]
    id: str
    version: int
    attributes: dict[str, Any]


def stream_id(bus: MessageBus, name: str) -> str:
    """The id of the stream that is named so, such as ``Order/42``. Raises `NotFound` for an aggregate
    that the service does not have, `AggregateNotFound` for what can be no name on any store."""
    aggregate, _, aggregate_id = name.partition("/")
    if aggregate not in bus.codecs.aggregates:
        known = ", ".join(bus.codecs.aggregates)
        raise NotFound(f"there is no aggregate {aggregate!r}; there is {known}")
    if not _can_be_stored(name):
        raise AggregateNotFound(aggregate, aggregate_id)
    return name


def history(bus: MessageBus, name: str) -> list[Listed]:
    """All that happened to the aggregate of this stream, in order. Raises `NotFound` and
    `AggregateNotFound`."""
    commits = bus.store.commits(stream_id(bus, name))
    if not commits:
        aggregate, _, aggregate_id = name.partition("/")
        raise AggregateNotFound(aggregate, aggregate_id)
    return [event for commit in commits for event in listed(bus, commit)]


def state(bus: MessageBus, name: str, at: int | None = None) -> State:
    """The aggregate of this stream as of now, or as of version `at`. It is folded from the events,
    whatever snapshots there are.

    Raises `NotFound`, also for a version that it has not reached, `AggregateNotFound`, and
    `UnknownEvent`: what cannot be read cannot be folded.
    """
    aggregate, _, aggregate_id = stream_id(bus, name).partition("/")
    kind = bus.codecs.aggregates[aggregate]
    repository = Repository(bus.store, bus.codecs, Snapshots())
    try:
        loaded = repository.load(kind, aggregate_id, at)
    except UnknownEvent as error:
        raise UnknownEvent(f"{name}: {error}") from error
    last = loaded.position.version
    if at is not None and at > last:
        raise NotFound(f"{name} has no version {at}: its last is {last}")
    found = loaded.aggregate
    return State(kind, found.id, found.version, dict(_attributes(found)))


def correlated(bus: MessageBus, correlation_id: str, progress: Progress) -> list[Listed]:
    """All events of this correlation id, of all streams: causes before what they led to, each
    stream's in order, and as far as that leaves it open by time. `progress` is told how far the
    search is, where the store has no index for it."""
    if not _can_be_stored(correlation_id):
        return []
    commits = bus.store.correlated(correlation_id, progress)
    return [event for commit in _in_order(commits) for event in listed(bus, commit)]


def listed(bus: MessageBus, commit: StoredCommit) -> list[Listed]:
    """The events of a commit, for a listing."""
    return [
        commit.recorded(event, offset)
        if isinstance(event, Event)
        else UnknownRecord(
            event,
            f"{commit.stream_id}@{commit.version + offset}",
            commit.stream_id,
            commit.version + offset,
            commit.recorded_at,
            commit.command_id,
            commit.context,
            commit.command,
        )
        for offset, event in enumerate(bus.codecs.listed(commit))
    ]


def _can_be_stored(name: str) -> bool:
    try:
        return len(name.encode()) <= MAX_NAME_BYTES and "\0" not in name
    except UnicodeEncodeError:
        return False


def _attributes(aggregate: Aggregate) -> Iterator[tuple[str, Any]]:
    """The public attributes that have a value, in the order they are declared or were set."""
    own, kind = vars(Aggregate("")), type(aggregate)
    declared = [
        name
        for cls in reversed(kind.__mro__)
        if issubclass(cls, Aggregate) and cls is not Aggregate
        for name, hint in inspect.get_annotations(cls).items()
        if "ClassVar" not in str(hint)
    ]
    for name in dict.fromkeys([*declared, *vars(aggregate)]):
        if name not in own and not name.startswith("_") and hasattr(aggregate, name):
            yield name, getattr(aggregate, name)


def _in_order(commits: Iterable[StoredCommit]) -> Iterator[StoredCommit]:
    """By time; but each after the one before it in its stream, and after the one that caused it,
    whatever the clocks said."""
    found = sorted(commits, key=lambda each: (each.stream_id, each.version))
    holder = {
        f"{commit.stream_id}@{commit.version + offset}": number
        for number, commit in enumerate(found)
        for offset in range(commit.count)
    }
    graph = {
        number: {holder[cause] for cause in _causes(commit) if cause in holder}
        for number, commit in enumerate(found)
    }
    sorter, ready = TopologicalSorter(graph), list[tuple[datetime, int, int]]()
    sorter.prepare()
    while sorter.is_active():
        for number in sorter.get_ready():
            commit = found[number]
            heappush(ready, (commit.recorded_at, commit.context.depth, number))
        *_, number = heappop(ready)
        sorter.done(number)
        yield found[number]


def _causes(commit: StoredCommit) -> list[str]:
    """The ids of the events that came before this commit."""
    return [f"{commit.stream_id}@{commit.version - 1}", commit.context.causation_id or ""]
