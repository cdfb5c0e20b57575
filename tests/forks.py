"""A fork server for pytest: the libraries of a service are imported once, and each run is a fork that has them.

Importing them takes longer than most runs. The service itself is imported in the fork, so that no run sees the code of
another. The server is a process of its own, because the one that runs the template's tests has threads, and has
imported a package `tests` as well.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import warnings
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

PASSED, FAILED = 0, 1
"""Exit codes of pytest."""

LIBRARIES = """
    alembic.command asyncio botocore.session fastapi.testclient httpx hypothesis.stateful mangum moto.core
    moto.dynamodb.models moto.dynamodbstreams.models moto.moto_server.werkzeug_app msgspec psycopg psycopg_pool punq
    pydantic_settings pynamodb.models schemathesis sqlalchemy sqlite3 structlog uvicorn werkzeug.serving
""".split()
"""A library that is missing here is imported in each fork. That is slower, and changes nothing else."""

PLUGINS = ["_hypothesis_pytestplugin", "schemathesis.pytest.plugin"]

SLOW = """
    test_a_long_stream test_a_record_that_cannot test_a_state_comes_back test_a_subscriber_that_fails
    test_a_thousand_rows test_a_view_is_cleared test_during_a_rebuild test_dynamodb_faults test_faults
    test_follow_ups_of_a_stream test_however_much_is_due test_it_serves_no_http test_lists_come_in_pages test_of_two_who_each
    test_openapi test_order_rules test_permissions test_processes_on_one test_terminal test_the_feed_skips_nothing
    test_the_schedule_ test_threads_ test_workers_and_inline
""".split()
"""Parts of the ids of tests that take long. They run last, because the others find most bugs."""


class ForkServer:
    """The first run starts the server, and `close` ends it."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None

    def pytest(self, folder: Path, *arguments: str, timeout: int = 120) -> int:
        """The exit code of pytest in this folder. A run that takes longer than `timeout` seconds has failed."""
        self._process = self._process or subprocess.Popen(
            [sys.executable, "-P", __file__],
            # A session of pytest closes its part of the temporary folder to other users, and Postgres is
            # one: with a folder in common, a session would take another's database away.
            env={"PYTHONPATH": "src", "PATH": "/usr/bin:/bin", "TMPDIR": tempfile.gettempdir()},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdin
        assert self._process.stdout
        print(json.dumps([timeout, str(folder), *arguments]), file=self._process.stdin, flush=True)
        code = int(self._process.stdout.readline())
        return FAILED if code == -signal.SIGALRM else code

    def close(self) -> None:
        if self._process:
            self._process.communicate()
            self._process = None


class Order:
    """The order of the tests: first those that have found a bug before, the last of them first, because they
    find the next one more often than others do; and last the slow ones. Says which test has found this bug."""

    def __init__(self, finders: list[str], says: int) -> None:
        self._rank = {finder: rank for rank, finder in enumerate(finders)}
        self._says = says

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items.sort(
            key=lambda item: (
                any(part in item.nodeid for part in SLOW),
                self._rank.get(item.nodeid, len(self._rank)),
            )
        )

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            os.write(self._says, f"{report.nodeid}\n".encode())


def serve() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name in LIBRARIES + PLUGINS:
            importlib.import_module(name)
    gc.freeze()  # no fork copies the memory of the libraries for its garbage collector
    finders: list[str] = []
    for line in sys.stdin:
        hears, says = os.pipe()
        pid = os.fork()
        if pid == 0:
            run(Order(finders, says), *json.loads(line))
        _, status = os.waitpid(pid, 0)
        with suppress(ProcessLookupError):  # servers that the tests did not stop
            os.killpg(pid, signal.SIGKILL)
        os.set_blocking(hears, False)
        with suppress(BlockingIOError):  # no test has failed
            found = os.read(hears, 4096).decode().splitlines()[:1]
            finders = found + [each for each in finders if each not in found]
        os.close(hears)
        os.close(says)
        print(os.waitstatus_to_exitcode(status), flush=True)


def run(order: Order, timeout: int, folder: str, *arguments: str) -> None:
    """As `python -m pytest` would run there. The alarm ends the process."""
    import pytest  # noqa: PLC0415 - this is in the fork server, where it was imported at start

    os.setsid()
    signal.alarm(timeout)
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in range(3):
        os.dup2(nowhere, stream)
    os.chdir(folder)
    sys.path[:0] = [folder, str(Path(folder, "src"))]
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    plugins = [order, *(sys.modules[name] for name in PLUGINS)]
    os._exit(pytest.main([*arguments], plugins=plugins))


if __name__ == "__main__":
    serve()
