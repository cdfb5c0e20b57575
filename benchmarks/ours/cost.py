"""What commands cost on DynamoDB, in units, by the service's own calculator: every request counted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bench_service.adapters.event_store import dynamodb
from bench_service.adapters.files import MemoryFileStore
from bench_service.bootstrap import make_bus
from bench_service.config import load_settings
from bench_service.domain.order import commands
from bench_service.service.ports.files import FileStore
from tests.bus.support.dynamodb_cost import Meter, units

from benchmarks.contender import serve

from . import counting

settings = load_settings()
dynamodb.create(settings)
store: Any = dynamodb.open_store(settings)
ORDER = {"item": "book", "quantity": 2}


def metered(work: Callable[[], Any]) -> dict[str, Any]:
    """The units of reads and writes, the requests, and the sizes in units of the items there."""
    meter = Meter(store._connection.client)
    work()
    store._connection.client.meta.events.unregister("provide-client-params.dynamodb", meter._sent)
    return {"writes": meter.writes, "reads": meter.reads, "requests": meter.requests}


def opened(data: int = 0) -> dict[str, Any]:
    """A plain command that makes an aggregate, its id made longer by so many letters."""
    name = "c" + "x" * data
    outcome = metered(lambda: counting.make_bus(store).handle(counting.Open(counter_id=name)))
    (item,) = store._connection.client.query(
        TableName=settings.dynamodb_table,
        KeyConditionExpression="stream_id = :stream",
        ExpressionAttributeValues={":stream": {"S": f"Counter/{name}"}},
    )["Items"]
    return outcome | {"kib": units(item)}


def added() -> dict[str, Any]:
    """A plain command on an aggregate that is there."""
    bus = counting.make_bus(store)
    bus.handle(counting.Open(counter_id="there"))
    return metered(lambda: bus.handle(counting.Add(counter_id="there", amount=1)))


def workflow() -> dict[str, Any]:
    """The example's: three commands, of which each but the first follows from the one before."""
    bus = make_bus(settings, store=store, dependencies={FileStore: MemoryFileStore()})
    command = commands.CreateOrder(order_id="workflow", data=ORDER)
    return metered(lambda: bus.handle(command))


def sizes() -> list[int]:
    """The bytes that the three commits of the workflow have as items."""
    found = store._connection.client.query(
        TableName=settings.dynamodb_table,
        KeyConditionExpression="stream_id = :stream",
        ExpressionAttributeValues={":stream": {"S": "Order/workflow"}},
    )["Items"]
    return [
        sum(len(name) + len(next(iter(value.values())).encode()) for name, value in item.items())
        for item in found
    ]


if __name__ == "__main__":
    serve("moto", opened=opened, added=added, workflow=workflow, sizes=sizes)
