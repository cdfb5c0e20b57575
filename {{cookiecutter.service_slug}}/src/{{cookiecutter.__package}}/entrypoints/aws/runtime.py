"""What the Lambda functions share: a bus made once, at import, in the time that Lambda gives to starting.

The garbage collector is off until that is done, because what is made here stays.
"""

# ruff: noqa: E402 - the imports come after the collector is switched off

import gc

gc.disable()

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Timer
from typing import Any

import structlog

from ...bootstrap import make_bus
from ...bus import Worker
from ...config import load_settings
from ...observability import log

MARGIN_SECONDS = 5.0
"""Work ends so long before Lambda would end it: a command under way has this time to finish."""

settings = load_settings()
log.configure(settings)
bus = make_bus(settings)
gc.freeze()
gc.enable()


@contextmanager
def invocation(context: Any) -> Iterator[None]:
    """Every line that is logged within carries the request id of this invocation."""
    request_id = getattr(context, "aws_request_id", None)
    with structlog.contextvars.bound_contextvars(request_id=request_id):
        yield


def run_due(context: Any) -> int:
    """Run due commands until none is left or the time is up. Returns how many were attempted."""
    worker, attempted = Worker(bus), 0
    with until_time_is_up(context) as stop:
        while not stop.is_set():
            just_now = worker.run_once(stop)
            if not just_now:
                break
            attempted += just_now
    return attempted


@contextmanager
def until_time_is_up(context: Any) -> Iterator[Event]:
    """Is set when it is time to come to an end."""
    stop, left = Event(), getattr(context, "get_remaining_time_in_millis", None)
    seconds = left() / 1000 - MARGIN_SECONDS if left else MARGIN_SECONDS
    timer = Timer(max(seconds, 0), stop.set)
    timer.daemon = True
    timer.start()
    try:
        yield stop
    finally:
        timer.cancel()
