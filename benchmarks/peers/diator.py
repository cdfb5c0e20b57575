"""diator: a request and the domain event of its handler, through its mediator, as its README shows; of
the two containers it knows, the quicker one."""

from __future__ import annotations

import asyncio
import dataclasses
import time

import rodi
from diator.container.rodi import RodiContainer
from diator.events import DomainEvent, Event, EventEmitter, EventHandler, EventMap
from diator.mediator import Mediator
from diator.requests import Request, RequestHandler, RequestMap

from benchmarks.contender import serve


@dataclasses.dataclass(frozen=True, kw_only=True)
class Open(Request):
    counter_id: str


@dataclasses.dataclass(frozen=True, kw_only=True)
class Opened(DomainEvent):
    counter_id: str


log: list[Opened] = []


class OpenHandler(RequestHandler[Open, None]):
    def __init__(self) -> None:
        self._events: list[Event] = []

    @property
    def events(self) -> list[Event]:
        return self._events

    async def handle(self, request: Open) -> None:
        self._events.append(Opened(counter_id=request.counter_id))


class OpenedHandler(EventHandler[Opened]):
    async def handle(self, event: Opened) -> None:
        log.append(event)


def make_mediator() -> Mediator:
    external = rodi.Container()
    external.add_transient(OpenHandler)
    external.add_transient(OpenedHandler)
    container = RodiContainer()
    container.attach_external_container(external)
    request_map, event_map = RequestMap(), EventMap()
    request_map.bind(Open, OpenHandler)
    event_map.bind(Opened, OpenedHandler)
    emitter = EventEmitter(event_map=event_map, container=container, message_broker=None)
    return Mediator(request_map=request_map, event_emitter=emitter, container=container)


mediator = make_mediator()


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
    serve("diator", "rodi", turn=turn)
