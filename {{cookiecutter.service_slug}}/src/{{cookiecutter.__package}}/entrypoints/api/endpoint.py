"""Runs an endpoint in a thread, and answers even if what follows hangs."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from functools import wraps
from inspect import iscoroutinefunction
from typing import Any

import anyio
from fastapi import HTTPException

from ...bus import SupervisedRequest


def in_a_thread(endpoint: Callable[..., Any]) -> Callable[..., Any]:
    """The endpoint as a coroutine function. It runs in a thread of the pool, and makes its answer;
    then, in the same thread, the follow-ups run inline. If one of them is given up, the answer is
    sent, and the pool has a new thread in place of this one."""
    if iscoroutinefunction(endpoint):
        return endpoint

    @wraps(endpoint)
    async def answer(**arguments: Any) -> Any:
        answers: list[Any] = []
        loop = asyncio.get_running_loop()
        with anyio.CancelScope() as scope:

            def give_up() -> None:
                with suppress(RuntimeError):  # the server has stopped
                    loop.call_soon_threadsafe(scope.cancel)

            def run() -> None:
                with SupervisedRequest(give_up) as request:
                    answers.append(endpoint(**arguments))
                    request.finish()

            await anyio.to_thread.run_sync(run, abandon_on_cancel=True)
        if not answers:  # the endpoint has called the bus again, after what hangs
            raise HTTPException(503, "what follows from the command takes too long, and goes on")
        return answers[0]

    return answer
