"""Threads that begin together, to see who wins."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

from {{ cookiecutter.__package }}.bus import StoreError

THREADS = 16


def all_at_once(run: Callable[[int], Any], threads: int = THREADS) -> list[Any]:
    """What `run(0)`, `run(1)`, ... return or raise as a `StoreError`, started together."""
    barrier = Barrier(threads)

    def one(number: int) -> Any:
        barrier.wait()
        try:
            return run(number)
        except StoreError as error:
            return error

    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(one, range(threads)))
