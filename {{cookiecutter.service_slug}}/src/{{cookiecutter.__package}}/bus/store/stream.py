"""A stream: its position, an append to it, a snapshot of it, and the result of loading it."""

import msgspec

from .pending import PendingCommand


class Position(msgspec.Struct, frozen=True, gc=False):
    """The end of a stream when it was loaded: the version of its last event. An append goes after
    it.

    A position always comes from a load and is never made up. So if its version is not the stream's
    present version, there was a conflict, and nothing else can be the reason. `Position.start` is
    the position of a stream that has no events yet.
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

    `fingerprint` identifies the code that made it. Other code cannot use the snapshot.
    """

    stream_id: str
    version: int
    fingerprint: str
    state: str


class LoadedStream(msgspec.Struct, frozen=True):
    """A stream at one moment: its position, the events of its commits in order (a JSON array for
    each commit), and its open pending commands. With a `snapshot`, the events are those after
    it.

    Of very many pending commands, the store reads only some. Then `more` is true, and any others
    may be open as well.
    """

    position: Position
    events: list[str]
    pending: list[PendingCommand]
    snapshot: Snapshot | None = None
    more: bool = False
