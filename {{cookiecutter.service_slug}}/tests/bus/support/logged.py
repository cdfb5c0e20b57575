"""What the service logs, as a test reads it."""

import io
import json
import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from {{ cookiecutter.__package }}.config import Settings
from {{ cookiecutter.__package }}.observability import log

Lines = Callable[[], list[dict[str, Any]]]


@contextmanager
def logging_to(stream: io.StringIO) -> Iterator[io.StringIO]:
    """Log to this stream as the service logs to standard error. The loggers are as before at the
    end."""
    root = logging.getLogger()
    before, level = root.handlers, root.level
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stderr", stream)
        log.configure(Settings(store="memory"))
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
