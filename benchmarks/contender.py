"""The side of a contender: it runs in a process of its own, and answers on its standard output.

It needs nothing but the standard library, for contenders run in environments of their own.
"""

from __future__ import annotations

import gc
import json
import os
import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from threading import Barrier, Thread
from typing import Any

Work = Callable[..., Any]


def serve(*libraries: str, **works: Work) -> None:
    """Do what the lines on the standard input ask for, `{"work": ..., ...}`, and answer each with
    what came of it, until there are no more. The first line sent says that all is set up, and the
    versions of `libraries`. What the works themselves print goes to the standard error."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    sys.stdout = sys.stderr

    def answer(**what: Any) -> None:
        print(json.dumps(what), file=answers, flush=True)

    answer(versions={library: version(library) for library in libraries})
    for line in sys.stdin:
        asked = json.loads(line)
        try:
            answer(result=works[asked.pop("work")](**asked))
        except Exception as error:  # the other side says that it could not run, and why
            answer(error=f"{type(error).__name__}: {error}")


def together(work: Callable[[int], object], threads: int) -> float:
    """The seconds that so many threads take for `work(0)`, `work(1)`, ..., begun at once."""
    begin = Barrier(threads + 1)

    def run(name: int) -> None:
        begin.wait()
        work(name)

    running = [Thread(target=run, args=(name,)) for name in range(threads)]
    for thread in running:
        thread.start()
    begin.wait()
    started = time.perf_counter()
    for thread in running:
        thread.join()
    return time.perf_counter() - started


def timed(step: Callable[[int], object], n: int) -> float:
    """The seconds that `step(0)`, ..., `step(n - 1)` take, garbage from before taken out."""
    gc.collect()
    started = time.perf_counter()
    for number in range(n):
        step(number)
    return time.perf_counter() - started
