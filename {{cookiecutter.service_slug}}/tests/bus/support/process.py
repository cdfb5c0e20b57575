"""The service of parcels as a process of its own: see `tests/support/process.py`."""

from functools import partial

from ...support import process
from ...support.process import SECONDS, Server, until

__all__ = ["COMMAND_LINE", "SECONDS", "Server", "run", "running", "serving", "until"]

COMMAND_LINE = "tests.bus.support.service"

run = partial(process.run, module=COMMAND_LINE)
serving = partial(process.serving, module=COMMAND_LINE)
running = partial(process.running, module=COMMAND_LINE)
