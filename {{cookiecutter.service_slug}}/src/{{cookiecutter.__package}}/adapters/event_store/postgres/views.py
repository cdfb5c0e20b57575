"""Read models in Postgres."""

from collections.abc import Mapping, Sequence

from ....bus import ViewRow
from .database import PostgresDatabase

COLUMNS = "key, version, label, sort, data"


class PostgresViews:
    """Rows and cells, as two tables beside the log."""

    def __init__(self, database: PostgresDatabase) -> None:
        self._database = database

    def rows(self, view: str, keys: Sequence[str]) -> Mapping[str, ViewRow]:
        found = self._database.fetch(
            f"SELECT {COLUMNS} FROM view_rows WHERE view = %s AND key = ANY(%s)", (view, list(keys))
        )
        return {row[0]: ViewRow(*row) for row in found}

    def put(self, view: str, rows: Sequence[ViewRow]) -> None:
        newest = {row.key: row for row in sorted(rows, key=lambda row: (row.key, row.version))}
        columns = [[getattr(row, name) for row in newest.values()] for name in COLUMNS.split(", ")]
        with self._database.connection() as connection:
            connection.execute(
                f"INSERT INTO view_rows (view, {COLUMNS})"
                " SELECT %s, * FROM unnest("
                "%s::text[], %s::bigint[], %s::text[], %s::text[], %s::text[])"
                " ON CONFLICT (view, key) DO UPDATE SET version = excluded.version,"
                " label = excluded.label, sort = excluded.sort, data = excluded.data"
                " WHERE excluded.version > view_rows.version".encode(),
                (view, *columns),
            )

    def find(
        self,
        view: str,
        labels: Sequence[str],
        limit: int,
        after: tuple[str, str] | None = None,
    ) -> list[ViewRow]:
        """Reads the first rows of each label, in the order of the index, and merges them."""
        before = "AND (sort, key) < (%s, %s)" if after else ""
        one = (
            f"(SELECT {COLUMNS} FROM view_rows WHERE view = %s AND label = %s {before}"
            " ORDER BY sort DESC, key DESC LIMIT %s)"
        )
        if not labels:
            return []
        found = self._database.fetch(
            f"SELECT * FROM ({' UNION ALL '.join([one] * len(labels))}) AS merged"
            " ORDER BY sort DESC, key DESC LIMIT %s",
            [*(each for label in labels for each in (view, label, *(after or ()), limit)), limit],
        )
        return [ViewRow(*row) for row in found]

    def clear(self, view: str) -> None:
        with self._database.connection(patient=True) as connection:
            connection.execute("DELETE FROM view_rows WHERE view = %s", (view,))

    def cell(self, name: str) -> str | None:
        found = self._database.fetch("SELECT text FROM cells WHERE name = %s", (name,))
        return found[0][0] if found else None

    def set_cell(self, name: str, text: str, was: str | None) -> bool:
        if was is None:
            return self._database.change(
                "INSERT INTO cells (name, text) VALUES (%s, %s) ON CONFLICT DO NOTHING",
                (name, text),
            )
        return self._database.change(
            "UPDATE cells SET text = %s WHERE name = %s AND text = %s", (text, name, was)
        )
