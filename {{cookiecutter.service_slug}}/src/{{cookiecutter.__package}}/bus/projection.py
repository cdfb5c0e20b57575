"""Read models: what a projection makes of the events, one row for each aggregate.

A row is a fold over the events of one stream, and it carries the version it has seen: events that
come doubled or out of turn change nothing, a gap is closed from the log, and rows written by several
processes at once agree. The feed brings what changed; nothing depends on its order between streams.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from typing import Any, ClassVar, Generic, TypeVar, get_args, get_origin

import msgspec

from .aggregate import Aggregate
from .codec import Codecs
from .errors import ConfigurationError, RebuildSuperseded
from .store import EventStore, RecordedEvent, StoredCommit
from .subscription import Subscription
from .views import ViewRow

R = TypeVar("R")
T = TypeVar("T")

Progress = Callable[[int, int], None]
"""Is told how many commits are done, and of about how many."""


class Projection(ABC, Generic[R]):
    """Makes the rows of one read model from the events of one kind of aggregate::

        class Orders(Projection[OrderRow], of=Order, labels=("open", "done")): ...

    A row is a frozen `msgspec.Struct`. The read model is named for the class, unless given. After a
    change of what it makes, it is to be rebuilt.
    """

    name: ClassVar[str]
    aggregate: ClassVar[type[Aggregate]]
    labels: ClassVar[tuple[str, ...]]

    def __init_subclass__(
        cls, *, of: type[Aggregate], labels: Iterable[str], name: str = "", **options: Any
    ) -> None:
        super().__init_subclass__(**options)
        cls.name, cls.aggregate, cls.labels = name or cls.__name__.lower(), of, tuple(labels)

    @abstractmethod
    def apply(self, row: R | None, recorded: RecordedEvent) -> R | None:
        """The row after this event: a pure function. None stands for no row, before the first event
        and wherever there is to be none."""

    @abstractmethod
    def label(self, row: R) -> str:
        """What lists are filtered by: one of `labels`."""

    @abstractmethod
    def sort(self, row: R) -> str:
        """What lists are sorted by, from the end backward. It must not change over a row's life."""


class Generations(msgspec.Struct, frozen=True):
    """Which set of rows is read, and which one is being built beside it."""

    active: int = 1
    building: int | None = None


class Projector(Generic[R]):
    """Keeps the rows of one projection up to date. Any number may, in any number of processes."""

    def __init__(self, projection: Projection[R], store: EventStore, codecs: Codecs) -> None:
        self.projection, self._store, self._codecs = projection, store, codecs
        self._row: msgspec.json.Decoder[R | None] = msgspec.json.Decoder(
            row_type(type(projection)) | None
        )
        self._prefix = projection.aggregate.stream_of("")
        self._cell = f"generations/{projection.name}"
        self.subscription = Subscription(store, projection.name, self.receive)

    def receive(self, commits: list[StoredCommit]) -> None:
        """Bring the rows up to these commits, wherever they come from.

        The generations are read after the commits: a rebuild that began in between has them in its
        own pass over the log, and one that this sees is written first, so that it is never behind.
        """
        generations = self._generations()
        if generations.building:
            self._receive(generations.building, commits)
        self._receive(generations.active, commits)

    def read(self, key: str, min_version: int = 0) -> tuple[R, int] | None:
        """A row and the version it has seen. If that is below `min_version`, from the log."""
        found = self._read(lambda view: self._store.views.rows(view, [key])).get(key)
        seen = found.version if found else 0
        if min_version > seen:
            self.receive(self._store.commits(self.projection.aggregate.stream_of(key), seen + 1))
            found = self._read(lambda view: self._store.views.rows(view, [key])).get(key)
        row = self._decode(found) if found else None
        return (row, found.version) if found and row is not None else None

    def find(
        self, labels: Iterable[str], limit: int, after: tuple[str, str] | None
    ) -> list[tuple[R, ViewRow]]:
        """The rows with these labels, from the end backward, and as what they are kept."""
        wanted = list(labels)
        found = self._read(lambda view: self._store.views.find(view, wanted, limit, after))
        return [(row, kept) for kept in found if (row := self._decode(kept)) is not None]

    def _read(self, ask: Callable[[str], T]) -> T:
        """What the active rows answer; asked again if others were made active meanwhile."""
        before = self._generations().active
        while True:
            answer = ask(self._view(before))
            now = self._generations().active
            if now == before:
                return answer
            before = now

    def rebuild(self, progress: Progress = lambda _done, _total: None) -> None:
        """Make all rows anew, from nothing, while the old ones are read and kept up to date; then,
        at once, the new ones are read. The old ones stay until the next rebuild, for whoever is
        reading them.

        Raises `RebuildSuperseded` if another rebuild began meanwhile, `StoreUnavailable`.
        """
        before = self._generations()
        mine = max(before.active, before.building or 0) + 1
        self._change(before, Generations(before.active, mine))
        for stale in range(max(1, before.active - 1), mine + 1):
            if stale != before.active:
                self._store.views.clear(self._view(stale))
        checkpoint, more, done, total = None, True, 0, self._store.size()
        while more:
            progress(done, max(done, total))
            page = self._store.feed(checkpoint)
            self._receive(mine, page.commits)
            checkpoint, more, done = page.checkpoint, page.more, done + len(page.commits)
        progress(done, done)
        self._change(Generations(before.active, mine), Generations(mine))

    def _receive(self, generation: int, commits: list[StoredCommit]) -> None:
        view, by_key = self._view(generation), self._by_key(commits)
        kept = self._store.views.rows(view, list(by_key))
        rows = [self._advanced(key, kept.get(key), tail) for key, tail in by_key.items()]
        if changed := [row for row in rows if row]:
            self._store.views.put(view, changed)

    def _by_key(self, commits: list[StoredCommit]) -> dict[str, list[StoredCommit]]:
        by_key: dict[str, list[StoredCommit]] = {}
        for commit in commits:
            if commit.stream_id.startswith(self._prefix):
                by_key.setdefault(commit.stream_id.removeprefix(self._prefix), []).append(commit)
        return by_key

    def _advanced(
        self, key: str, kept: ViewRow | None, commits: list[StoredCommit]
    ) -> ViewRow | None:
        """The row after these commits; None if it has seen them all."""
        seen = kept.version if kept else 0
        fresh = [commit for commit in commits if commit.version > seen]
        if not fresh:
            return None
        if not _follow_each_other(seen, fresh):
            fresh = self._store.commits(self.projection.aggregate.stream_of(key), seen + 1)
        row = self._decode(kept) if kept else None
        codec = self._codecs.events(self.projection.aggregate)
        for commit in fresh:
            for offset, event in enumerate(codec.decode(commit.events)):
                row = self.projection.apply(row, commit.recorded(event, offset))
        return self._encode(key, fresh[-1].version + fresh[-1].count - 1, row)

    def _encode(self, key: str, version: int, row: R | None) -> ViewRow:
        data = msgspec.json.encode(row).decode()
        if row is None:
            return ViewRow(key, version, "", "", data)
        return ViewRow(key, version, self.projection.label(row), self.projection.sort(row), data)

    def _decode(self, kept: ViewRow) -> R | None:
        try:
            return self._row.decode(kept.data)
        except msgspec.ValidationError as error:
            raise ConfigurationError(
                f"the read model {self.projection.name} was made by other code and must be "
                f"rebuilt: {error}"
            ) from error

    def _view(self, generation: int) -> str:
        return f"{self.projection.name}.{generation}"

    def _generations(self) -> Generations:
        text = self._store.views.cell(self._cell)
        return msgspec.json.decode(text, type=Generations) if text else Generations()

    def _change(self, before: Generations, after: Generations) -> None:
        was = msgspec.json.encode(before).decode()
        kept = self._store.views.cell(self._cell)
        text = msgspec.json.encode(after).decode()
        if (kept or was) != was or not self._store.views.set_cell(self._cell, text, kept):
            raise RebuildSuperseded(f"another rebuild of {self.projection.name} has begun")


def row_type(projection: type[Projection[Any]]) -> Any:
    """The `R` of the `Projection[R]` that this class extends. Raises `ConfigurationError`."""
    for cls in projection.__mro__:
        for base in getattr(cls, "__orig_bases__", ()):
            if get_origin(base) is Projection:
                row = get_args(base)[0]
                if isinstance(row, type) and issubclass(row, msgspec.Struct):
                    return row
    raise ConfigurationError(
        f"{projection.__name__} must extend Projection[X], where X, a msgspec.Struct, is its row"
    )


def _follow_each_other(seen: int, commits: list[StoredCommit]) -> bool:
    for commit in commits:
        if commit.version != seen + 1:
            return False
        seen += commit.count
    return True
