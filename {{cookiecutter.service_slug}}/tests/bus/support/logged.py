"""What the service logs, as a test reads it."""

import io
import json
import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from structlog.typing import Processor

from {{ cookiecutter.__package }}.config import Settings
from {{ cookiecutter.__package }}.observability import log

Lines = Callable[[], list[dict[str, Any]]]

configure = log.configure  # of which the tests of the functions keep the rest of the process free


@contextmanager
def logging_to(stream: io.StringIO, *more: Processor) -> Iterator[io.StringIO]:
    """Log to this stream as the service logs to standard error, with these processors. The loggers
    are as before at the end."""
    root = logging.getLogger()
    before, level = root.handlers, root.level
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stderr", stream)
        configure(Settings(store="memory"), *more)
    try:
        yield stream
    finally:
        root.handlers = before
        root.setLevel(level)


@pytest.fixture
def lines() -> Iterator[Lines]:
    """What is logged, as JSON."""
    with logging_to(io.StringIO()) as written:
        yield lambda: [json.loads(line) for line in written.getvalue().splitlines()]
