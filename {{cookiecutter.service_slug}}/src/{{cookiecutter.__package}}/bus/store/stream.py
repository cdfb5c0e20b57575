"""A stream: its end, what is appended to it, and what a load of it brings."""

import msgspec

from .pending import PendingCommand


class Position(msgspec.Struct, frozen=True, gc=False):
    """The end of a stream as it was loaded, to append after. It comes from a load, and is never made
    up, so that a position with a wrong version is the sign of a conflict and of nothing else.

    `Position.start` is the end of a stream that has no event yet.
    """

    stream_id: str
    version: int

    @classmethod
    def start(cls, stream_id: str) -> "Position":
        return cls(stream_id, 0)


class StreamAppend(msgspec.Struct, frozen=True, gc=False):
    """The events that a commit adds to one stream: a JSON array of `count` events."""

    after: Position
    events: str
    count: int


class Snapshot(msgspec.Struct, frozen=True, gc=False):
    """The state of an aggregate at the end of a commit, as text: a cache of the fold.

    `fingerprint` names the code that made it. Other code cannot use it.
    """

    stream_id: str
    version: int
    fingerprint: str
    state: str


class LoadedStream(msgspec.Struct, frozen=True):
    """A stream as it was at one moment: its end, the events of its commits in order, each commit's a
    JSON array, and its open follow-ups. With a `snapshot`, the events are those after it."""

    position: Position
    events: list[str]
    pending: list[PendingCommand]
    snapshot: Snapshot | None = None
