"""Read models in the DynamoDB table: a partition for each row, and an index that lists them."""

import heapq
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice

from pynamodb.exceptions import DoesNotExist

from ....bus import ViewRow
from . import table
from .errors import conditional_write, translating_errors


class DynamoDBViews:
    """Rows and cells as items. A list may be a moment behind its rows, because an index is
    eventually consistent."""

    def __init__(self, item: type[table.Item]) -> None:
        self.item = item

    def rows(self, view: str, keys: Sequence[str]) -> Mapping[str, ViewRow]:
        wanted = [(table.row_partition(view, key), table.ROW) for key in dict.fromkeys(keys)]
        with translating_errors():
            found = map(table.view_row, self.item.batch_get(wanted, consistent_read=True))
            return {row.key: row for row in found}

    def put(self, view: str, rows: Sequence[ViewRow]) -> None:
        absent = self.item.sort.does_not_exist()
        for row in rows:
            with translating_errors(), conditional_write():
                table.row_item(self.item, view, row).save(
                    condition=absent | (self.item.row_version < row.version)
                )

    def find(
        self,
        view: str,
        labels: Sequence[str],
        limit: int,
        after: tuple[str, str] | None = None,
    ) -> list[ViewRow]:
        with translating_errors():
            lists = [
                self._list(table.list_partition(view, label, shard), limit, after)
                for label in labels
                for shard in range(table.SHARDS)
            ]
            merged = heapq.merge(*lists, key=lambda row: row.place, reverse=True)
            return list(islice(merged, limit))

    def clear(self, view: str) -> None:
        """Scans the whole table, because a row without a label is in no list."""
        prefix = table.row_partition(view, "")
        with translating_errors(), self.item.batch_write() as batch:
            for item in self._scan(prefix):
                batch.delete(item)

    def cell(self, name: str) -> str | None:
        try:
            with translating_errors():
                found = self.item.get(f"cell#{name}", table.CELL, consistent_read=True)
        except DoesNotExist:
            return None
        text: str = found.payload
        return text

    def set_cell(self, name: str, text: str, was: str | None) -> bool:
        item = self.item(f"cell#{name}", table.CELL, payload=text)
        as_was = self.item.sort.does_not_exist() if was is None else self.item.payload == was
        with translating_errors(), conditional_write() as written:
            item.save(condition=as_was)
        return written.is_set()

    def _list(self, partition: str, limit: int, after: tuple[str, str] | None) -> Iterable[ViewRow]:
        before = self.item.listed_at < table.list_sort(after) if after else None
        found = self.item.listed.query(partition, before, scan_index_forward=False, limit=limit)
        return map(table.view_row, found)

    def _scan(self, prefix: str) -> Iterator[table.Item]:
        return iter(self.item.scan(self.item.stream_id.startswith(prefix), consistent_read=True))
