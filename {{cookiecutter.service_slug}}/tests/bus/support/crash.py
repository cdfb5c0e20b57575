"""The crash harness: kills a process at the n-th call of its ports, for every n.

Within a call of SQLite, it also kills the process before each statement. On the other stores a
commit is one statement, or one request.

    points = crash_at_every_call(act, check)

`act(number, mortal)` does the work in a process of its own. It wraps its ports with `mortal`. The
first process dies before its first call, the second one after that call, and so on, until a process
lives to the end. After each process, `check(number)` restarts the service, and raises if anything
is lost, done twice, or stuck. Call this from a process with a single thread: see `tests/bus/crash`.
"""

import os
import sqlite3
import sys
import traceback
from collections.abc import Callable
from types import FrameType
from typing import Any, TypeVar

P = TypeVar("P")
DEAD = 137

SQLITE = (sqlite3.Connection, sqlite3.Cursor)
STATEMENTS = {"execute", "executemany", "commit"}

Mortal = Callable[[P], P]


def crash_at_every_call(
    act: Callable[[int, Mortal[Any]], None], check: Callable[[int], None]
) -> int:
    """Kill a process at each point. Returns the number of points. Raises what `check` raises."""
    number = 0
    while True:
        child = os.fork()
        if child == 0:
            _live(number, act)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        assert code in {0, DEAD}, f"at point {number} it failed by itself"
        try:
            check(number)
        except Exception as error:
            error.add_note(f"after a process that died at point {number}")
            raise
        if code == 0:
            return number
        number += 1


def _live(number: int, act: Callable[[int, Mortal[Any]], None]) -> None:
    """Do the work, and end the process at point `number`. Never returns, and runs no clean-up."""
    steps = iter(range(number + 1))

    def step() -> None:
        if next(steps) == number:
            os._exit(DEAD)

    def on_call(_frame: FrameType, event: str, called: Any) -> None:
        sends = event == "c_call" and called.__name__ in STATEMENTS
        if sends and isinstance(called.__self__, SQLITE):
            step()

    try:
        sys.setprofile(on_call)
        act(number, lambda port: _Mortal(port, step))
        os._exit(0)
    except BaseException:
        traceback.print_exc()
        os._exit(1)


class _Mortal:
    """A wrapped port: the process can die just before and just after each call."""

    def __init__(self, port: Any, step: Callable[[], None]) -> None:
        self._port, self._step = port, step

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._port, name)
        if name == "views":
            return _Mortal(found, self._step)
        if not callable(found):
            return found

        def call(*arguments: Any, **options: Any) -> Any:
            self._step()
            result = found(*arguments, **options)
            self._step()
            return result

        return call
