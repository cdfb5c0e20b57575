"""Pending commands: what follows from an event and is still to be handled, and the port to them."""

from datetime import datetime
from typing import Protocol

import msgspec

from ..model.context import Context

# gc=False, here and in the modules beside: these hold texts, times and each other, and so no cycle
# that the garbage collector would have to find.


class PendingKey(msgspec.Struct, frozen=True, gc=False, order=True):
    """The name of a pending command: its stream, the version of the first event of its commit in that
    stream, and its place among the follow-ups of the commit, from 0. Sorts in the order to run.

    As text, it is ``Order/42@1#0``; `parse` is the inverse.
    """

    stream_id: str
    version: int
    ordinal: int

    def __str__(self) -> str:
        return f"{self.stream_id}@{self.version}#{self.ordinal}"

    @classmethod
    def parse(cls, text: str) -> "PendingKey":
        """Raises `ValueError` for what is no such name."""
        stream_id, _, place = text.rpartition("@")
        version, _, ordinal = place.partition("#")
        if not (stream_id and version.isdecimal() and ordinal.isdecimal()):
            raise ValueError(f"{text!r} is not of the form Order/42@1#0")
        return cls(stream_id, int(version), int(ordinal))


class PendingCommand(msgspec.Struct, frozen=True, gc=False, tag="pending"):
    """A command that follows from an event, and is still to be handled: a token in the store, which
    the commit that handles it consumes.

    Workers see it from `due_at` on; `attempts` counts the runs that have begun. It runs once no
    earlier one of its stream is open, unless `in_order` is false. Parked, it is a dead letter:
    nothing runs or consumes it, and it holds nothing back; `error` says why.
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
        """The open follow-ups of one stream, in order, as of now; not the parked ones."""
        ...

    def due(self, now: datetime, limit: int = 100) -> list[PendingKey]:
        """Names of follow-ups, of any stream, that are due: at most `limit`, the longest due first.
        A hint: some may be gone already, and one just written may be missing."""
        ...

    def claim(self, pending: PendingCommand, due_at: datetime) -> bool:
        """Count an attempt that is about to begin, and let no other begin before `due_at`. False if
        the command is no longer as given: gone, parked, or claimed by another."""
        ...

    def park(self, pending: PendingCommand, at: datetime, error: str) -> bool:
        """Make it a dead letter, in place. False if it is no longer as given."""
        ...

    def parked(self, limit: int = 100) -> list[PendingCommand]:
        """Dead letters of any stream, at most `limit`, the longest parked first."""
        ...

    def replay(self, key: PendingKey, due_at: datetime) -> bool:
        """Open a dead letter again, out of order and with no attempt counted. False if there is
        none of this name."""
        ...

    def drop(self, key: PendingKey) -> bool:
        """Delete a dead letter. False if there is none of this name."""
        ...
