"""python-cqrs: a request and the domain event of its handler, through the mediator that its bootstrap
makes, as its README shows; of the two kinds of messages it has, the lighter one."""

from __future__ import annotations

import asyncio
import time

import cqrs
import di
from cqrs.bootstrap import requests

from benchmarks.contender import serve


class Open(cqrs.DCRequest):
    counter_id: str


class Opened(cqrs.DCDomainEvent):
    counter_id: str


log: list[Opened] = []


class OpenHandler(cqrs.RequestHandler[Open, None]):
    def __init__(self) -> None:
        self._events: list[Opened] = []

    @property
    def events(self) -> list[Opened]:
        return self._events

    async def handle(self, request: Open) -> None:
        self._events.append(Opened(counter_id=request.counter_id))


class OpenedHandler(cqrs.EventHandler[Opened]):
    async def handle(self, event: Opened) -> None:
        log.append(event)


mediator = requests.bootstrap(
    di_container=di.Container(),
    commands_mapper=lambda mapper: mapper.bind(Open, OpenHandler),
    domain_events_mapper=lambda mapper: mapper.bind(Opened, OpenedHandler),
)


async def _turn(n: int) -> float:
    started = time.perf_counter()
    for number in range(n):
        await mediator.send(Open(counter_id=str(number)))
    return time.perf_counter() - started


def turn(n: int) -> float:
    log.clear()
    seconds = asyncio.run(_turn(n))
    assert len(log) == n
    return seconds


if __name__ == "__main__":
    serve("python-cqrs", turn=turn)
