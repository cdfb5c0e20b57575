"""Read models in the SQLite file."""

from collections.abc import Mapping, Sequence

from ....bus import ViewRow
from .database import SqliteDatabase

COLUMNS = "key, version, label, sort, data"


class SqliteViews:
    """Rows and cells, as two tables beside the log."""

    def __init__(self, database: SqliteDatabase) -> None:
        self._database = database

    def rows(self, view: str, keys: Sequence[str]) -> Mapping[str, ViewRow]:
        with self._database.reading() as connection:
            found = [
                connection.execute(
                    f"SELECT {COLUMNS} FROM view_rows WHERE view = ? AND key = ?", (view, key)
                ).fetchone()
                for key in keys
            ]
        return {row[0]: ViewRow(*row) for row in found if row}

    def put(self, view: str, rows: Sequence[ViewRow]) -> None:
        with self._database.writing() as connection:
            connection.executemany(
                f"INSERT INTO view_rows (view, {COLUMNS}) VALUES (?, ?, ?, ?, ?, ?)"
                " ON CONFLICT (view, key) DO UPDATE SET version = excluded.version,"
                " label = excluded.label, sort = excluded.sort, data = excluded.data"
                " WHERE excluded.version > version",
                [(view, row.key, row.version, row.label, row.sort, row.data) for row in rows],
            )

    def find(
        self,
        view: str,
        labels: Sequence[str],
        limit: int,
        after: tuple[str, str] | None = None,
    ) -> list[ViewRow]:
        """Reads the first rows of each label, in the order of the index, and merges them."""
        before = "AND (sort, key) < (?, ?)" if after else ""
        with self._database.reading() as connection:
            found = [
                ViewRow(*row)
                for label in labels
                for row in connection.execute(
                    f"SELECT {COLUMNS} FROM view_rows WHERE view = ? AND label = ? {before}"
                    " ORDER BY sort DESC, key DESC LIMIT ?",
                    (view, label, *(after or ()), limit),
                )
            ]
        return sorted(found, key=lambda row: row.place, reverse=True)[:limit]

    def clear(self, view: str) -> None:
        with self._database.writing() as connection:
            connection.execute("DELETE FROM view_rows WHERE view = ?", (view,))

    def cell(self, name: str) -> str | None:
        with self._database.reading() as connection:
            row = connection.execute("SELECT text FROM cells WHERE name = ?", (name,)).fetchone()
        return row[0] if row else None

    def set_cell(self, name: str, text: str, was: str | None) -> bool:
        if was is None:
            return self._database.change(
                "INSERT INTO cells (name, text) VALUES (?, ?) ON CONFLICT DO NOTHING", (name, text)
            )
        return self._database.change(
            "UPDATE cells SET text = ? WHERE name = ? AND text = ?", (text, name, was)
        )
