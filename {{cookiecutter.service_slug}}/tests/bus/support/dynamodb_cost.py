"""The cost of requests to DynamoDB in capacity units, by its documented rules.

A write costs one unit for each started KiB of the item: of the larger of its old and its new size.
In a transaction it costs twice that; a condition check counts as a write. Each index entry that is
added or removed costs one unit for each started KiB; an entry that moves is removed and added. A
consistent read costs one unit for each started 4 KiB. (Amazon DynamoDB Developer Guide, "Read and
write operations" and "Global secondary indexes".)
"""

import math
from collections.abc import Mapping
from typing import Any

Item = Mapping[str, Mapping[str, Any]]
Key = tuple[str, str]

INDEXES = {"due": ("due_shard", "due_at"), "listed": ("listed_in", "listed_at")}


class Meter:
    """Counts the units of every request that a client sends from now on. It knows the size of the
    items written since then, and assumes that all others are small."""

    def __init__(self, client: Any) -> None:
        self.writes, self.reads = 0, 0
        self.requests: list[str] = []
        self._items: dict[Key, Item] = {}
        client.meta.events.register("provide-client-params.dynamodb", self._sent)

    def _sent(self, params: Mapping[str, Any], model: Any, **_: Any) -> None:
        self.requests.append(model.name)
        match model.name:
            case "PutItem":
                self.writes += self._put(params["Item"])
            case "UpdateItem" | "DeleteItem":
                self.writes += self._removed(params["Key"])
            case "TransactWriteItems":
                for part in params["TransactItems"]:
                    ((operation, request),) = part.items()
                    self.writes += self._in_transaction(operation, request)
            case "Query" | "GetItem":
                self.reads += 1

    def _in_transaction(self, operation: str, request: Mapping[str, Any]) -> int:
        if operation == "ConditionCheck":
            return 2
        if operation == "Put":
            return 2 * units(request["Item"]) + self._index_of(request["Item"], keep=True)
        item = self._items.pop(key_of(request["Key"]), {})
        return 2 * units(item) + self._index_of(item)

    def _put(self, item: Item) -> int:
        return units(item) + self._index_of(item, keep=True)

    def _removed(self, key: Item) -> int:
        item = self._items.get(key_of(key), {})
        return units(item) + 2 * self._index_of(item)

    def _index_of(self, item: Item, *, keep: bool = False) -> int:
        if keep:
            self._items[key_of(item)] = item
        return sum(
            all(attribute in item for attribute in attributes) for attributes in INDEXES.values()
        )


def key_of(item: Item) -> Key:
    """The primary key of an item."""
    return item["stream_id"]["S"], item["sort"]["S"]


def units(item: Item) -> int:
    """Write units of an item outside a transaction."""
    size = sum(
        len(name.encode()) + len(str(next(iter(value.values()))).encode())
        for name, value in item.items()
    )
    return max(1, math.ceil(size / 1024))
