"""mediatr: a request and its handler, sent synchronously, as its README shows. It has no events: the
handler makes one and keeps it."""

from __future__ import annotations

import dataclasses

from mediatr import Mediator

from benchmarks.contender import serve, timed


class Open:
    def __init__(self, counter_id: str) -> None:
        self.counter_id = counter_id


@dataclasses.dataclass(frozen=True)
class Opened:
    counter_id: str


log: list[Opened] = []


class OpenHandler:
    def handle(self, request: Open) -> None:
        log.append(Opened(request.counter_id))


OpenHandler.handle.__annotations__["request"] = Open  # it reads annotations as they stand
Mediator.register_handler(OpenHandler)
mediator = Mediator()


def turn(n: int) -> float:
    log.clear()
    seconds = timed(lambda number: mediator.send(Open(str(number))), n)
    assert len(log) == n
    return seconds


if __name__ == "__main__":
    serve("mediatr", turn=turn)
