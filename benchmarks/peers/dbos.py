"""DBOS: a workflow of three steps with its decorators, as its programming guide shows. Each step's
result is kept in Postgres; what is archived goes to a dictionary."""

from __future__ import annotations

import itertools
import os
from typing import Any

from dbos import DBOS, DBOSConfig
from psycopg.conninfo import conninfo_to_dict
from sqlalchemy import URL

from benchmarks.contender import serve, timed, together

DATA = {"item": "book", "quantity": 2}
archive: dict[str, Any] = {}
ids = itertools.count()


@DBOS.step()
def create(order_id: str, data: dict[str, Any]) -> dict[str, Any]:
    return {"order_id": order_id, "data": data}


@DBOS.step()
def process(order: dict[str, Any]) -> dict[str, Any]:
    return {"fields": sorted(order["data"])}


@DBOS.step()
def keep(order: dict[str, Any], result: dict[str, Any]) -> str:
    location = f"orders/{order['order_id']}.json"
    archive[location] = order | {"result": result}
    return location


@DBOS.workflow()
def order_workflow(order_id: str, data: dict[str, Any]) -> str:
    order = create(order_id, data)
    return keep(order, process(order))


def turn(n: int) -> float:
    """One caller."""
    return timed(lambda _number: order_workflow(str(next(ids)), DATA), n)


def callers(n: int, count: int) -> float:
    """So many threads call, so many times together."""

    def work(name: int) -> None:
        for _ in range(name, n, count):
            order_workflow(str(next(ids)), DATA)

    return together(work, count)


def launch() -> None:
    given = conninfo_to_dict(os.environ["DATABASE_URL"])
    url = URL.create(
        "postgresql+psycopg",
        username=str(given.pop("user", "")) or None,
        password=str(given.pop("password", "")) or None,
        database=str(given.pop("dbname")),
        query={name: str(value) for name, value in given.items()},
    )
    config: DBOSConfig = {
        "name": "bench",
        "system_database_url": url.render_as_string(hide_password=False),
        "log_level": "ERROR",  # ours does not log its messages here either
    }
    DBOS(config=config)
    DBOS.launch()


if __name__ == "__main__":
    serve("dbos", launch=launch, turn=turn, callers=callers, close=DBOS.destroy)
