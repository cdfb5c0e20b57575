"""A load generator in a process of its own: so many connections, each a request after the other."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import time

from .contender import serve

CREATED = b"HTTP/1.1 201"
ids = itertools.count()
run = os.urandom(4).hex()


def request(port: int) -> bytes:
    body = json.dumps(
        {"order_id": f"{run}-{next(ids)}", "data": {"item": "book", "quantity": 2}}
    ).encode()
    head = (
        f"POST /orders HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def _connection(port: int, until: float, took: list[float]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    while time.perf_counter() < until:
        started = time.perf_counter()
        writer.write(request(port))
        head = await reader.readuntil(b"\r\n\r\n")
        if not head.startswith(CREATED):
            raise RuntimeError(f"answered {head.partition(bytes(2))[0][:60]!r}")
        length = head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
        await reader.readexactly(int(length))
        took.append(time.perf_counter() - started)
    writer.close()


def load(port: int, seconds: float, connections: int) -> dict[str, float]:
    """Requests a second, and how long they took: the median and the 99th of a hundred, in seconds."""
    took: list[float] = []

    async def all_of_them() -> float:
        started = time.perf_counter()
        until = started + seconds
        await asyncio.gather(*(_connection(port, until, took) for _ in range(connections)))
        return time.perf_counter() - started

    whole = asyncio.run(all_of_them())
    took.sort()
    return {
        "rate": len(took) / whole,
        "p50": took[len(took) // 2],
        "p99": took[min(len(took) - 1, len(took) * 99 // 100)],
    }


if __name__ == "__main__":
    serve(load=load)
