"""Read models in memory."""

from collections.abc import Mapping, Sequence
from threading import Lock

from ....bus import ViewRow


class MemoryViews:
    """Rows and cells in dictionaries behind one lock."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._rows: dict[str, dict[str, ViewRow]] = {}
        self._cells: dict[str, str] = {}

    def rows(self, view: str, keys: Sequence[str]) -> Mapping[str, ViewRow]:
        with self._lock:
            there = self._rows.get(view, {})
            return {key: there[key] for key in keys if key in there}

    def put(self, view: str, rows: Sequence[ViewRow]) -> None:
        with self._lock:
            there = self._rows.setdefault(view, {})
            for row in rows:
                kept = there.get(row.key)
                if kept is None or kept.version < row.version:
                    there[row.key] = row

    def find(
        self,
        view: str,
        labels: Sequence[str],
        limit: int,
        after: tuple[str, str] | None = None,
    ) -> list[ViewRow]:
        with self._lock:
            rows = [row for row in self._rows.get(view, {}).values() if row.label in labels]
        rows = [row for row in rows if after is None or row.place < after]
        return sorted(rows, key=lambda row: row.place, reverse=True)[:limit]

    def clear(self, view: str) -> None:
        with self._lock:
            self._rows.pop(view, None)

    def cell(self, name: str) -> str | None:
        with self._lock:
            return self._cells.get(name)

    def set_cell(self, name: str, text: str, was: str | None) -> bool:
        with self._lock:
            if self._cells.get(name) != was:
                return False
            self._cells[name] = text
            return True
