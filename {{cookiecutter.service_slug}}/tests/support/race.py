"""Race tests: threads that begin at the same time."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

from {{ cookiecutter.__package }}.bus import StoreError

THREADS = 16


def all_at_once(run: Callable[[int], Any], threads: int = THREADS) -> list[Any]:
    """Call `run(0)`, `run(1)`, ... at the same time, each in a thread. Returns their results; a
    `StoreError` counts as a result."""
    barrier = Barrier(threads)

    def one(number: int) -> Any:
        barrier.wait()
        try:
            return run(number)
        except StoreError as error:
            return error

    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(one, range(threads)))
