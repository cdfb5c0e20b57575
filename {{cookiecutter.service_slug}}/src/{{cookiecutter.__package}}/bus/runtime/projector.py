"""The projector: keeps the rows of a read model up to date.

A row is a fold over the events of one stream, and stores the version of the last event in it. So an
event that comes twice or out of order changes nothing. If events are missing in between, the
projector reads them from the log. Several processes that write the same row get the same result. No
order between streams is assumed.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Generic, TypeVar, get_args, get_origin

import msgspec

from ..model.errors import ConfigurationError, RebuildSuperseded
from ..model.projection import Projection
from ..store.codec import Codecs
from ..store.commit import StoredCommit
from ..store.event_store import EventStore
from ..store.log import Progress
from ..store.views import ViewRow

R = TypeVar("R")
T = TypeVar("T")


class Generations(msgspec.Struct, frozen=True):
    """Two generations of rows: the one that is read and, during a rebuild, the one that is being
    built."""

    active: int = 1
    building: int | None = None


class Projector(Generic[R]):
    """Keeps the rows of one projection up to date. Any number of projectors may do so at the same
    time, in any number of processes."""

    def __init__(self, projection: Projection[R], store: EventStore, codecs: Codecs) -> None:
        self.projection, self._store, self._codecs = projection, store, codecs
        self._row: msgspec.json.Decoder[R | None] = msgspec.json.Decoder(
            row_type(type(projection)) | None
        )
        self._prefix = projection.aggregate.stream_of("")
        self._cell = f"generations/{projection.name}"

    @property
    def name(self) -> str:
        return self.projection.name

    def receive(self, commits: Sequence[StoredCommit]) -> None:
        """Apply these commits to the rows, whether the feed or a push brought them.

        The generations are read after the commits. So if a rebuild began in between, it finds these
        commits in its own pass over the log. The generation that is being built is written first,
        so that it is never behind the active one.
        """
        generations = self._generations()
        if generations.building:
            self._receive(generations.building, commits)
        self._receive(generations.active, commits)

    def unseen(self, commits: Sequence[StoredCommit]) -> list[StoredCommit]:
        """The commits among these that the rows do not show yet."""
        by_key = self._by_key(commits)
        rows = self._read(lambda view: self._store.views.rows(view, list(by_key)))
        return [
            commit
            for key, of_key in by_key.items()
            for commit in of_key
            if key not in rows or commit.version > rows[key].version
        ]

    def read(self, key: str, min_version: int = 0) -> tuple[R, int] | None:
        """A row and the version it shows. If that is lower than `min_version`, the row is first
        brought up to date from the log."""
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
        """The rows with these labels in descending order, each with its stored form."""
        wanted = list(labels)
        found = self._read(lambda view: self._store.views.find(view, wanted, limit, after))
        return [(row, stored) for stored in found if (row := self._decode(stored)) is not None]

    def _read(self, ask: Callable[[str], T]) -> T:
        """Read the active generation. Read again if another generation became active meanwhile."""
        before = self._generations().active
        while True:
            answer = ask(self._view(before))
            now = self._generations().active
            if now == before:
                return answer
            before = now

    def rebuild(self, progress: Progress = lambda _done, _total: None) -> None:
        """Build all rows again in a new generation, from the beginning of the feed. Meanwhile the
        active generation is read and kept up to date. At the end, one write makes the new
        generation active. The old rows stay until the next rebuild, for readers that have begun
        with them. What the feed holds back is read, too: a worker whose feed is further may have
        processed it, and never gives it again.

        Raises `RebuildSuperseded` if another rebuild began meanwhile, `StoreUnavailable`.
        """
        before = self._generations()
        mine = max(before.active, before.building or 0) + 1
        self._set_generations(before, Generations(before.active, mine))
        for stale in range(max(1, before.active - 1), mine + 1):
            if stale != before.active:
                self._store.views.clear(self._view(stale))
        checkpoint, more, done, total = None, True, 0, self._store.size()
        while more:
            progress(done, max(done, total))
            page = self._store.visible(checkpoint)
            self._receive(mine, page.commits)
            checkpoint, more, done = page.checkpoint, page.more, done + len(page.commits)
        progress(done, done)
        self._set_generations(Generations(before.active, mine), Generations(mine))

    def _receive(self, generation: int, commits: Sequence[StoredCommit]) -> None:
        view, by_key = self._view(generation), self._by_key(commits)
        stored = self._store.views.rows(view, list(by_key))
        rows = [self._advanced(key, stored.get(key), tail) for key, tail in by_key.items()]
        if changed := [row for row in rows if row]:
            self._store.views.put(view, changed)

    def _by_key(self, commits: Sequence[StoredCommit]) -> dict[str, list[StoredCommit]]:
        by_key: dict[str, list[StoredCommit]] = {}
        for commit in commits:
            if commit.stream_id.startswith(self._prefix):
                by_key.setdefault(commit.stream_id.removeprefix(self._prefix), []).append(commit)
        return by_key

    def _advanced(
        self, key: str, stored: ViewRow | None, commits: list[StoredCommit]
    ) -> ViewRow | None:
        """The row after these commits; None if it shows all of them already."""
        seen = stored.version if stored else 0
        fresh = [commit for commit in commits if commit.version > seen]
        if not fresh:
            return None
        if not _follow_each_other(seen, fresh):
            fresh = self._store.commits(self.projection.aggregate.stream_of(key), seen + 1)
        row = self._decode(stored) if stored else None
        for commit in fresh:
            for recorded in self._codecs.recorded(commit):
                row = self.projection.apply(row, recorded)
        return self._encode(key, fresh[-1].version + fresh[-1].count - 1, row)

    def _encode(self, key: str, version: int, row: R | None) -> ViewRow:
        data = msgspec.json.encode(row).decode()
        if row is None:
            return ViewRow(key, version, "", "", data)
        label = self.projection.label(row)
        if label not in self.projection.labels:
            # Lists ask for the declared labels only, so no list would ever show this row.
            raise ConfigurationError(
                f"{type(self.projection).__name__}.label gives {label!r} for {key!r}, which the "
                f"read model {self.projection.name} does not declare: add it to labels=, or give "
                f"one of {', '.join(self.projection.labels)}"
            )
        return ViewRow(key, version, label, self.projection.sort(row), data)

    def _decode(self, stored: ViewRow) -> R | None:
        try:
            return self._row.decode(stored.data)
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

    def _set_generations(self, before: Generations, after: Generations) -> None:
        """Compare-and-set. Raises `RebuildSuperseded` if the stored generations are not
        `before`."""
        was = msgspec.json.encode(before).decode()
        stored = self._store.views.cell(self._cell)
        text = msgspec.json.encode(after).decode()
        if (stored or was) != was or not self._store.views.set_cell(self._cell, text, stored):
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
