"""Procrastinate: three jobs, each of which defers the next, and one worker; asynchronous tasks, as
its documentation advises for many at once."""

from __future__ import annotations

import asyncio
import itertools
import os
import time
from typing import Any

import procrastinate

from benchmarks.contender import serve

DATA = {"item": "book", "quantity": 2}
CONNECTIONS = 16
"""More than are busy at a time: eight jobs, the worker itself, and the one that listens."""

app = procrastinate.App(
    connector=procrastinate.PsycopgConnector(
        conninfo=os.environ["DATABASE_URL"], min_size=CONNECTIONS, max_size=CONNECTIONS
    )
)
archive: dict[str, Any] = {}
ids = itertools.count()


class Progress:
    """How many are to be in the archive, and whether they are."""

    expected = 0
    is_done = asyncio.Event()


@app.task
async def create(order_id: str, data: dict[str, Any]) -> None:
    await process.defer_async(order_id=order_id, data=data)


@app.task
async def process(order_id: str, data: dict[str, Any]) -> None:
    result = {"fields": sorted(data)}
    await keep.defer_async(order_id=order_id, data=data, result=result)


@app.task
async def keep(order_id: str, data: dict[str, Any], result: dict[str, Any]) -> None:
    archive[f"orders/{order_id}.json"] = {"data": data, "result": result}
    if len(archive) == Progress.expected:
        Progress.is_done.set()


async def _turn(n: int, count: int) -> float:
    Progress.expected = len(archive) + n
    Progress.is_done.clear()

    async def submit(name: int) -> None:
        for _ in range(name, n, count):
            await create.defer_async(order_id=str(next(ids)), data=DATA)

    started = time.perf_counter()
    await asyncio.gather(*(submit(name) for name in range(count)))
    worker = asyncio.create_task(
        app.run_worker_async(concurrency=count, install_signal_handlers=False)
    )
    await Progress.is_done.wait()
    seconds = time.perf_counter() - started
    worker.cancel()
    await asyncio.wait([worker])
    return seconds


async def _launch() -> None:
    await app.open_async()
    await app.schema_manager.apply_schema_async()


if __name__ == "__main__":
    with asyncio.Runner() as runner:
        serve(
            "procrastinate",
            launch=lambda: runner.run(_launch()),
            turn=lambda n, count: runner.run(_turn(n, count)),
            close=lambda: runner.run(app.close_async()),
        )
