"""The least there is, with the same messages: a dictionary from commands to functions.

Once making an event and keeping nothing. Once doing by hand what the bus does: ids, a time, text that is
read back and compared, a version that is checked under a lock, the commit kept, the event answered.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime
from threading import Lock
from typing import Any

import msgspec
from bench_service.bus import Context, RecordedEvent, StoredCommit

from benchmarks.contender import serve, timed, together

from .counting import Open, Opened


def bare(n: int) -> float:
    handlers: dict[Any, Callable[[Any], Opened]] = {
        Open: lambda command: Opened(counter_id=command.counter_id)
    }

    def step(number: int) -> None:
        command = Open(counter_id=str(number))
        handlers[type(command)](command)

    return timed(step, n)


def dispatcher() -> Callable[[str], None]:
    """What opens a counter, with all that is done for it done by hand. Any number of threads may share it."""
    lock, decoder = Lock(), msgspec.json.Decoder(list[Opened])
    streams: dict[str, list[StoredCommit]] = {}
    log: list[StoredCommit] = []

    def handle(command: Open) -> RecordedEvent:
        command_id, now = os.urandom(16).hex(), datetime.now(UTC)
        stream_id, event = f"Counter/{command.counter_id}", Opened(counter_id=command.counter_id)
        text = msgspec.json.encode([event])
        if decoder.decode(text) != [event]:
            raise ValueError("it reads back as another value")
        context = Context(command_id)
        kept = StoredCommit(stream_id, 1, 1, text.decode(), command_id, "Open", context, now)
        with lock:
            stream = streams.setdefault(stream_id, [])
            if stream:
                raise ValueError("it is there already")
            stream.append(kept)
            log.append(kept)
        event_id = f"{stream_id}@1"
        return RecordedEvent(event, event_id, stream_id, 1, now, command_id, context, "Open")

    handlers: dict[Any, Callable[[Any], RecordedEvent]] = {Open: handle}

    def dispatch(counter_id: str) -> None:
        command = Open(counter_id=counter_id)
        handlers[type(command)](command)

    return dispatch


def by_hand(n: int) -> float:
    dispatch = dispatcher()
    return timed(lambda number: dispatch(str(number)), n)


def threads(n: int, count: int) -> dict[str, float]:
    """So many threads share one dispatcher; each opens counters of its own."""
    dispatch, share = dispatcher(), n // count

    def work(name: int) -> None:
        for number in range(share):
            dispatch(f"{name}.{number}")

    return {"seconds": together(work, count), "commands": share * count}


if __name__ == "__main__":
    serve("msgspec", bare=bare, by_hand=by_hand, threads=threads)
