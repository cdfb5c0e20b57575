"""What the Lambda functions share: one bus, made at import, while Lambda starts the function.

The garbage collector is off until that is done, because what is made here stays. With SnapStart,
Lambda copies the process after this into many others: nothing here may differ from one to another.
"""

# ruff: noqa: E402 - the imports come after the collector is switched off

import gc

gc.disable()

import math
import os
import random
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import cache
from threading import Event, Timer
from typing import Any

import structlog

from ...bootstrap import make_bus
from ...bus import Worker
from ...config import load_settings
from ...observability import log
from . import metrics

MARGIN_SECONDS = 5.0
"""Work ends so long before Lambda would end it: a command under way has this time to finish."""

settings = load_settings()
log.configure(settings, metrics.count)
bus = make_bus(settings)
gc.freeze()
gc.enable()

try:
    from snapshot_restore_py import register_after_restore
except ImportError:
    pass  # only the runtime of Lambda has it
else:
    register_after_restore(random.seed)  # or all copies wait and choose alike


@cache
def worker() -> Worker:
    """Made on first use, because it chooses the part of a long backlog that it begins with."""
    return Worker(bus, report=log.unknown_command, faulty=log.faulty_stream)


@contextmanager
def invocation(context: Any) -> Iterator[None]:
    """Every line that is logged within carries the request id of this invocation."""
    request_id = getattr(context, "aws_request_id", None)
    with structlog.contextvars.bound_contextvars(request_id=request_id):
        yield


def run_due(context: Any, share: float = 1.0, within: float = math.inf) -> int:
    """Run due commands until none is left or this share of the time is up. No command begins that
    may take longer than the invocation, or than `within` seconds. Returns how many were
    attempted."""
    seconds = min(_seconds_left(context), within)
    attempted, ends_at = 0, bus.clock.now() + timedelta(seconds=seconds)
    with until_time_is_up(context, share, within) as stop:
        while not stop.is_set():
            just_now = worker().run_once(stop, ends_at)
            if not just_now:
                break
            attempted += just_now
    return attempted


@contextmanager
def until_time_is_up(context: Any, share: float, within: float = math.inf) -> Iterator[Event]:
    """An event that is set when it is time to end, or when this share of the time left is up. At
    most `within` seconds count as left."""
    stop, seconds = Event(), min(_seconds_left(context), within) - MARGIN_SECONDS
    timer = Timer(seconds * share, stop.set)
    timer.daemon = True
    if seconds > 0:
        timer.start()
    else:
        stop.set()
    try:
        yield stop
    finally:
        timer.cancel()


def _seconds_left(context: Any) -> float:
    """Until Lambda ends the invocation. Without a context, as in a test, it is twice the margin."""
    left = getattr(context, "get_remaining_time_in_millis", None)
    return left() / 1000 if left else 2 * MARGIN_SECONDS


def own_trace() -> str | None:
    """The trace of this invocation, where Lambda names one."""
    return traceparent(os.environ.get("_X_AMZN_TRACE_ID", ""))


def traceparent(header: str) -> str | None:
    """The W3C form of an X-Ray header, ``Root=1-<8 digits>-<24 digits>;Parent=<16 digits>``."""
    fields = dict(field.strip().partition("=")[::2] for field in header.split(";"))
    _, _, trace = fields.get("Root", "").partition("-")
    if not trace or "Parent" not in fields:
        return None
    sampled = "01" if fields.get("Sampled") == "1" else "00"
    return f"00-{trace.replace('-', '')}-{fields['Parent']}-{sampled}"
