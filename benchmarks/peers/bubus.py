"""bubus: it knows events alone: one that asks, whose handler dispatches the one that tells, as its
README shows. Each is awaited, as a caller does who wants to know what became of it."""

from __future__ import annotations

import asyncio
import gc
import time

from bubus import BaseEvent, EventBus

from benchmarks.contender import serve


class OpenEvent(BaseEvent[None]):
    counter_id: str


class OpenedEvent(BaseEvent[None]):
    counter_id: str


log: list[str] = []


async def _turn(n: int) -> float:
    bus = EventBus(max_history_size=10)

    async def open_counter(event: OpenEvent) -> None:
        await bus.dispatch(OpenedEvent(counter_id=event.counter_id))

    def keep(event: OpenedEvent) -> None:
        log.append(event.counter_id)

    bus.on(OpenEvent, open_counter)
    bus.on(OpenedEvent, keep)
    started = time.perf_counter()
    for number in range(n):
        await bus.dispatch(OpenEvent(counter_id=str(number)))
    seconds = time.perf_counter() - started
    await bus.stop()
    return seconds


def turn(n: int) -> float:
    log.clear()
    gc.collect()
    seconds = asyncio.run(_turn(n))
    assert len(log) == n
    return seconds


if __name__ == "__main__":
    serve("bubus", turn=turn)
