"""Histories: the events of an aggregate, its state at a version, and all events of a correlation
id."""

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
"""The longest name that is looked up. A context, which holds the correlation id, is not longer, and
no store has a longer stream id."""


class NotFound(Exception):
    """What was asked for does not exist. The message says what exists."""


class UnknownRecord(msgspec.Struct, frozen=True):
    """An event in the log that this code does not know. `event` is its stored name and fields; the
    other fields are those of `RecordedEvent`."""

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
    """An aggregate as of a version: its public attributes, unchanged."""

    aggregate: type[Aggregate]
    id: str
    version: int
    attributes: dict[str, Any]


def stream_id(bus: MessageBus, name: str) -> str:
    """The id of the stream with this name, such as ``Order/42``. Raises `NotFound` for an aggregate
    that the service does not have, and `AggregateNotFound` for a name that no store can hold."""
    aggregate, _, aggregate_id = name.partition("/")
    if aggregate not in bus.codecs.aggregates:
        known = ", ".join(bus.codecs.aggregates)
        raise NotFound(f"there is no aggregate {aggregate!r}; there is {known}")
    if not _can_be_stored(name):
        raise AggregateNotFound(aggregate, aggregate_id)
    return name


def history(bus: MessageBus, name: str) -> list[Listed]:
    """All events of the aggregate with this stream, in order. Raises `NotFound` and
    `AggregateNotFound`."""
    commits = bus.store.commits(stream_id(bus, name))
    if not commits:
        aggregate, _, aggregate_id = name.partition("/")
        raise AggregateNotFound(aggregate, aggregate_id)
    return [event for commit in commits for event in listed(bus, commit)]


def state(bus: MessageBus, name: str, at: int | None = None) -> State:
    """The state of this stream's aggregate as of now, or as of version `at`. It is folded from the
    events, without a snapshot.

    Raises `NotFound`, also for a version that the aggregate has not reached, `AggregateNotFound`,
    and `UnknownEvent` for an event that this code cannot read and so cannot fold.
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
    """All events with this correlation id, of all streams. Causes come before their effects, and
    the events of one stream in order; otherwise the order is by time. `progress` shows how far the
    search is, on a store that has no index for it."""
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
    """Topological sort: each commit comes after the one before it in its stream, and after the one
    that caused it, whatever the clocks said. Otherwise the order is by time."""
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
    """The ids of the events that must come before this commit: the one before it in its stream, and
    the one that caused it."""
    return [f"{commit.stream_id}@{commit.version - 1}", commit.context.causation_id or ""]
