"""Operations: what an operator asks of a service, and does to it.

The functions return data and print nothing, so that the command line or any other entry point can
show it. Only the codec reads stored text. A listing does not stop at a message that this code does
not know, but gives its stored name.

This module has the work to do: pending commands, dead letters, and their counts. The functions of
`histories` are exported from here as well.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import msgspec

from ..model.errors import StoreUnavailable
from ..model.messages import Command
from ..store.codec import Unknown
from ..store.log import Progress
from ..store.pending import PendingCommand, PendingKey
from .histories import (
    Listed,
    NotFound,
    State,
    UnknownRecord,
    correlated,
    history,
    listed,
    state,
    stream_id,
)
from .message_bus import MessageBus

__all__ = [
    "COUNTED",
    "NOT_BEGUN_AFTER",
    "NOT_BEGUN_STREAMS",
    "Lag",
    "Listed",
    "NotFound",
    "OpenCommand",
    "State",
    "UnknownRecord",
    "Waiting",
    "Work",
    "correlated",
    "dead_letter",
    "dead_letters",
    "drop",
    "history",
    "lags",
    "listed",
    "not_begun",
    "park",
    "pending",
    "replay",
    "replay_all",
    "state",
    "stream_id",
    "work",
]

COUNTED = 1000
"""Counts stop at this number plus one."""

NOT_BEGUN_AFTER = timedelta(minutes=1)
"""A command that has been due for longer should have been begun."""

NOT_BEGUN_STREAMS = 100
"""In at most so many streams `not_begun` looks for such commands."""

ALL = 1_000_000_000
FOREVER = datetime.max.replace(tzinfo=UTC)

Unreadable = Callable[[str, Exception], None]
"""A callback that is given the id of a stream whose pending commands cannot be read, and why."""


class OpenCommand(msgspec.Struct, frozen=True):
    """A pending command, or a dead letter. `command` is the decoded message, `Unknown` if this code
    cannot read it."""

    row: PendingCommand
    command: Command | Unknown

    @property
    def known(self) -> bool:
        """Whether this code can read it."""
        return isinstance(self.command, Command)

    @property
    def name(self) -> str:
        """The name of the command."""
        command = self.command
        return command.message_name if isinstance(command, Command) else command.name

    @property
    def fields(self) -> dict[str, Any]:
        """The fields of the command, as JSON has them."""
        command = self.command
        if isinstance(command, Unknown):
            return command.fields
        fields: dict[str, Any] = msgspec.to_builtins(command)
        del fields["$type"]
        return fields


class Waiting(OpenCommand, frozen=True):
    """A pending command, and what it waits for. It begins no earlier than `until`.

    - ``worker``: it is due; the next worker that looks runs it.
    - ``due time``: it was committed to run later.
    - ``next attempt``: an attempt is under way, or has failed; there will be another.
    - ``earlier command``: the command `behind`, of the same stream, runs first.
    - ``release``: it is due, and this release does not know it. Another one does, or did.
    """

    waits_for: Literal["worker", "due time", "next attempt", "earlier command", "release"]
    until: datetime
    behind: PendingKey | None = None


class Work(msgspec.Struct, frozen=True):
    """How many commands are open, due and parked. `due_since` and `parked_since` are when the first
    of them was due or parked. Counts stop at `COUNTED` + 1. `unreadable` are the streams that could
    not be read when `due_since` was looked for, each with its error."""

    open: int
    due: int
    due_since: datetime | None
    parked: int
    parked_since: datetime | None
    unreadable: tuple[tuple[str, Exception], ...] = ()


class Lag(msgspec.Struct, frozen=True):
    """How many commits a subscription is behind, and when the oldest of them was recorded. The
    count stops at `COUNTED` + 1."""

    name: str
    behind: int
    since: datetime | None


def pending(
    bus: MessageBus, limit: int = COUNTED, unreadable: Unreadable | None = None
) -> list[Waiting]:
    """Pending commands, the first to run first: all those of the streams that the first `limit`
    open commands belong to. `unreadable` is told of each stream that cannot be read; without it,
    the error is raised."""
    streams = dict.fromkeys([key.stream_id for key in bus.store.waiting(FOREVER, limit)])
    return _waiting_in(bus, streams, unreadable)


def not_begun(
    bus: MessageBus, limit: int = NOT_BEGUN_STREAMS, unreadable: Unreadable | None = None
) -> list[Waiting]:
    """Pending commands that may run, and that nobody has claimed since they were due, more than
    `NOT_BEGUN_AFTER` ago: the longest due first, those of at most `limit` streams. While all is
    well there are none, and this is one look at what is due. `unreadable` is as in `pending`.

    The store does not know why. No worker runs, or the threads of the workers are held by calls
    that hang, so that commands of this kind do not begin, or the workers have fallen behind."""
    before = bus.clock.now() - NOT_BEGUN_AFTER
    return [
        each
        for each in _waiting_in(bus, bus.store.due(before, limit), unreadable)
        if each.waits_for in ("worker", "release") and each.until <= before
    ]


def work(bus: MessageBus) -> Work:
    """The counts of open, due and parked commands."""
    store, now, limit = bus.store, bus.clock.now(), COUNTED + 1
    due, parked = store.waiting(now, limit), store.parked(limit)
    due_since, unreadable = _due_since(bus, due)
    return Work(
        open=len(store.waiting(FOREVER, limit)),
        due=len(due),
        due_since=due_since,
        parked=len(parked),
        parked_since=parked[0].parked_at if parked else None,
        unreadable=tuple(unreadable.items()),
    )


def _due_since(
    bus: MessageBus, keys: list[PendingKey]
) -> tuple[datetime | None, dict[str, Exception]]:
    """When the first of these that can be read was due, and the streams that cannot be read."""
    unreadable: dict[str, Exception] = {}
    for key in keys:
        if key.stream_id in unreadable:
            continue
        try:
            rows = bus.store.pending(key.stream_id)
        except StoreUnavailable:
            raise
        except Exception as error:
            unreadable[key.stream_id] = error
            continue
        for row in rows:
            if row.key == key:
                return row.due_at, unreadable
    return None, unreadable


def lags(bus: MessageBus) -> list[Lag]:
    """How far behind each subscription is."""
    found = [(name, each.lag(COUNTED + 1)) for name, each in bus.subscriptions.items()]
    return [
        Lag(name, len(behind), behind[0].recorded_at if behind else None) for name, behind in found
    ]


def dead_letters(bus: MessageBus, limit: int = COUNTED) -> list[OpenCommand]:
    """Parked commands, at most `limit`, the longest parked first."""
    return [OpenCommand(row, _command(bus, row)) for row in bus.store.parked(limit)]


def dead_letter(bus: MessageBus, key: PendingKey) -> OpenCommand:
    """The dead letter with this key. Raises `NotFound`."""
    for row in bus.store.parked(ALL):
        if row.key == key:
            return OpenCommand(row, _command(bus, row))
    raise NotFound(f"{key} is no dead letter")


def replay(bus: MessageBus, key: PendingKey) -> None:
    """Make a dead letter a pending command again: a worker runs it at once, out of order. Raises
    `NotFound`."""
    if not bus.store.replay(key, bus.clock.now()):
        raise NotFound(f"{key} is no dead letter")


def replay_all(
    bus: MessageBus, command: str | None = None, progress: Progress = lambda _done, _total: None
) -> int:
    """Replay all dead letters that there are now, or those of one command; one that is parked again
    meanwhile is not replayed twice. Returns how many were replayed: those that somebody else has
    replayed or dropped meanwhile are not counted. Calls `progress` with how many are done, of how
    many. Raises `NotFound` if there is none of this command."""
    dead = [OpenCommand(row, _command(bus, row)) for row in bus.store.parked(ALL)]
    found = [each.row.key for each in dead if command in (None, each.name)]
    if command is not None and not found:
        names = ", ".join(sorted({each.name for each in dead})) or "none at all"
        raise NotFound(f"no dead letter is of the command {command!r}; there is {names}")
    replayed = 0
    for done, key in enumerate(found, 1):
        replayed += bus.store.replay(key, bus.clock.now())
        progress(done, len(found))
    return replayed


def park(bus: MessageBus, key: PendingKey) -> None:
    """Give up a pending command: it becomes a dead letter, and holds back no other. Raises
    `NotFound`."""
    for row in bus.store.pending(key.stream_id):
        if row.key == key and bus.park(row, "an operator gave it up"):
            return
    raise NotFound(f"{key} is no pending command, or an attempt to run it has just begun")


def drop(bus: MessageBus, key: PendingKey) -> None:
    """Delete a dead letter: it will never run. Raises `NotFound`."""
    if not bus.store.drop(key):
        raise NotFound(f"{key} is no dead letter")


def _waiting_in(
    bus: MessageBus, streams: Iterable[str], unreadable: Unreadable | None
) -> list[Waiting]:
    """The open commands of these streams, the first to run first."""
    waiting: list[Waiting] = []
    for name in streams:
        try:
            waiting += _waiting(bus, bus.store.pending(name))
        except Exception as error:
            if unreadable is None or isinstance(error, StoreUnavailable):
                raise
            unreadable(name, error)
    return sorted(waiting, key=lambda each: (each.until, each.row.key))


def _waiting(bus: MessageBus, rows: list[PendingCommand]) -> Iterator[Waiting]:
    """For each open command of a stream, what it waits for."""
    now, ahead = bus.clock.now(), None
    for row in rows:
        command = _command(bus, row)
        if row.in_order and ahead is not None:
            until = max(row.due_at, ahead.until)
            waiting = Waiting(row, command, "earlier command", until, ahead.row.key)
        elif row.due_at <= now:
            known = isinstance(command, Command)
            waiting = Waiting(row, command, "worker" if known else "release", row.due_at)
        else:
            tried = row.attempts > 0
            waiting = Waiting(row, command, "next attempt" if tried else "due time", row.due_at)
        ahead = waiting if row.in_order else ahead
        yield waiting


def _command(bus: MessageBus, row: PendingCommand) -> Command | Unknown:
    return bus.codecs.commands.listed(row.payload)[0]
