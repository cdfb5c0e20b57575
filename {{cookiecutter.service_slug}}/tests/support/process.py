"""The service as a process of its own, on loopback, without this process's environment."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import {{ cookiecutter.__package }}

T = TypeVar("T")

ROOT = Path(__file__).parents[2]
SOURCE = Path({{ cookiecutter.__package }}.__file__).parents[1]
COMMAND_LINE = "{{ cookiecutter.__package }}.entrypoints.cli"
KEPT = {"PATH", "SYSTEMROOT", "COVERAGE_PROCESS_CONFIG"}  # from the environment of the tests
SECONDS = 30  # the time-out of a process that does not answer


def run(
    folder: Path,
    *arguments: str,
    module: str = COMMAND_LINE,
    **environment: str,
) -> subprocess.CompletedProcess[str]:
    """One command, run in this folder until it ends."""
    return subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=folder,
        env=_environment(environment),
        capture_output=True,
        text=True,
        timeout=5 * SECONDS,
        check=False,
    )


class Server:
    """A running process, and its log."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path) -> None:
        self.process, self._log = process, log
        self.url: str = ""

    def lines(self) -> list[dict[str, Any]]:
        """The lines it has logged so far, complete ones only."""
        complete = self._log.read_text().rpartition("\n")[0]
        return [json.loads(line) for line in complete.splitlines()]

    def wait_for(self, event: str) -> dict[str, Any]:
        """The first line in its log of this name."""

        def found() -> dict[str, Any] | None:
            ended = self.process.poll()
            assert ended is None, f"ended with {ended}: {self._log.read_text()}"
            return next((line for line in self.lines() if line["event"] == event), None)

        return until(found)

    def stop(self) -> int:
        """SIGTERM. Returns the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(SECONDS)

    def kill(self) -> None:
        """SIGKILL: the process ends at once, without clean-up."""
        self.process.kill()
        self.process.wait(SECONDS)


@contextmanager
def serving(
    folder: Path,
    *arguments: str,
    module: str = COMMAND_LINE,
    **environment: str,
) -> Iterator[Server]:
    """A server in this folder, on a port of its own. It is stopped at the end of the block."""
    with running(folder, *(arguments or ("serve",)), module=module, **environment) as server:
        server.url = server.wait_for("serving")["url"]
        yield server


@contextmanager
def running(
    folder: Path,
    *arguments: str,
    module: str = COMMAND_LINE,
    **environment: str,
) -> Iterator[Server]:
    """A command that runs until it is stopped, at the latest at the end of the block."""
    log = folder / f"{arguments[0]}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            cwd=folder,
            env=_environment({"PORT": "0", **environment}),
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    server = Server(process, log)
    try:
        yield server
    finally:
        if process.poll() is None:
            server.kill()


def until(probe: Callable[[], T | None]) -> T:
    """Call `probe` until it returns something else than None, and return that."""
    deadline = time.monotonic() + SECONDS
    while (answer := probe()) is None:
        assert time.monotonic() < deadline, f"{probe.__qualname__} found nothing"
        time.sleep(0.02)
    return answer


def _environment(added: dict[str, str]) -> dict[str, str]:
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    return {**kept, "PYTHONPATH": os.pathsep.join((str(SOURCE), str(ROOT))), **added}
