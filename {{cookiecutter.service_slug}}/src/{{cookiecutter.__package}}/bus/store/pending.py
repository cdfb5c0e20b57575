"""Pending commands: commands that follow from an event and are still to be handled; their port."""

from datetime import datetime
from typing import Protocol
from zlib import crc32

import msgspec

from ..model.context import Context

# gc=False, here and in the neighbouring modules: these values hold only texts, times and each
# other, so there is no reference cycle for the garbage collector to find.


PARTS = 16
"""Into how many parts the streams are divided, so that workers look at different ones."""


def part_of(stream_id: str) -> int:
    """The part of a stream, from 0, by a hash of its id."""
    return crc32(stream_id.encode()) % PARTS


class PendingKey(msgspec.Struct, frozen=True, gc=False, order=True):
    """The key of a pending command: the id of its source stream, the version of the first event of
    its commit in that stream, and its ordinal among the follow-ups of the commit, from 0. Keys sort
    in the order to run.

    As text, it is ``Order/42@1#0``; `parse` is the inverse.
    """

    stream_id: str
    version: int
    ordinal: int

    def __str__(self) -> str:
        return f"{self.stream_id}@{self.version}#{self.ordinal}"

    @classmethod
    def parse(cls, text: str) -> "PendingKey":
        """The inverse of `str`. Raises `ValueError` for a text of another form."""
        stream_id, _, place = text.rpartition("@")
        version, _, ordinal = place.partition("#")
        if not (stream_id and version.isdecimal() and ordinal.isdecimal()):
            raise ValueError(f"{text!r} is not of the form Order/42@1#0")
        return cls(stream_id, int(version), int(ordinal))


class PendingCommand(msgspec.Struct, frozen=True, gc=False, tag="pending"):
    """A command that follows from an event and is still to be handled: a row in the store. The
    commit that handles the command consumes the row: it deletes it in the same write.

    Workers see the command from `due_at` on. `attempts` counts the runs that have begun. An
    in-order command runs only when no earlier in-order command of its stream is open. A parked
    command is a dead letter: it does not run, it cannot be consumed, and no command waits for it;
    `error` says why it was parked.
    """

    key: PendingKey
    command_id: str
    payload: str
    context: Context
    attempts: int
    due_at: datetime
    in_order: bool = True
    parked_at: datetime | None = None
    error: str = ""


class PendingCommands(Protocol):
    """The port. Only `Log.append` adds and consumes pending commands."""

    def pending(self, stream_id: str) -> list[PendingCommand]:
        """The open pending commands of one stream, in order, read consistently; not the parked
        ones."""
        ...

    def is_held_back(self, key: PendingKey) -> bool:
        """Whether an in-order command of the same stream is open whose key is lower, read
        consistently."""
        ...

    def due(self, now: datetime, limit: int = 100, part: int | None = None) -> list[str]:
        """The ids of streams in which a command may run now, each once. An in-order command may run
        if it is due and no earlier in-order one of its stream is open, an out-of-order one if it is
        due.

        At most `limit` streams, the longest due first. If there are more, one half are the longest
        due, and the other half became due last: so no number of old ones hides a new one. With
        `part`, only streams of this part, from 0 to `PARTS` - 1: a hash of its id says which one a
        stream belongs to, any hash. A hint: some may be gone already, and one just written may be
        missing.
        """
        ...

    def waiting(self, until: datetime, limit: int = 100) -> list[PendingKey]:
        """The keys of open pending commands, of any stream, that are due by `until`, whether they
        may run or not: at most `limit`, the longest due first. A hint, as `due` is."""
        ...

    def claim(self, pending: PendingCommand, due_at: datetime) -> bool:
        """Compare-and-set: count an attempt that is about to begin, and let no other begin before
        `due_at`. False if the stored command is no longer as given: it is gone, parked, or claimed
        by another worker."""
        ...

    def park(self, pending: PendingCommand, at: datetime, error: str) -> bool:
        """Compare-and-set: make the command a dead letter. False if the stored command is no longer
        as given."""
        ...

    def parked(self, limit: int = 100) -> list[PendingCommand]:
        """Dead letters of any stream, at most `limit`, the longest parked first."""
        ...

    def replay(self, key: PendingKey, due_at: datetime) -> bool:
        """Make a dead letter a pending command again, out of order and with no attempt counted.
        False if there is no dead letter with this key."""
        ...

    def drop(self, key: PendingKey) -> bool:
        """Delete a dead letter. False if there is none with this key."""
        ...
