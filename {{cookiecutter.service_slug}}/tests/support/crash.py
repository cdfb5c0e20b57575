"""The crash harness: a process that dies at the n-th call of its ports, for every n; and, within a
call of SQLite, before each statement: on the other stores a commit is one statement, or one request.

    points = crash_at_every_call(act, check)

`act(number, mortal)` does the work in a process of its own, with its ports wrapped by `mortal`. The
first process dies before its first call, the second one after it, and so on, until one lives to the end.
After each, `check(number)` restarts what is to be restarted, and raises if anything is lost, done
twice, or stuck. To be called from a process with a single thread: see `tests/crash`.
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
    """Returns at how many points a process has died. Raises what `check` raises."""
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
    """Never returns; nor is anything tidied up."""
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
    """A port of which each call is two points: just before it, and just after."""

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
