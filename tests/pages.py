"""Pages of the documentation that are run: what a reader types is typed, and they see what is shown.

A fenced block of `console` holds commands, each after `$ `, and what each one says. `...` stands for
whatever is there; times, durations and ids are of the day. A command without output shown may say
anything. It must succeed, unless the block is `console fails`. One that ends in `&` goes on, until
`kill %1` or the end of the page.

A block of `diff` changes the file that the paragraph before it names last: at `@@`, lines that are
there, once, become others. With nothing but new lines, it is a new file. A block of `patch` does so in
the template; whoever reads the page in a service passes over it.

Everything else is for reading. The environment is the one that is there: nothing is installed.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from .support import ENVIRONMENT, TEMPLATE, own_config

PAGE_PORT = "127.0.0.1:8000"
SECONDS = 600
BLOCK = re.compile(r"^```(console|console fails|diff|patch)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
OF_THE_DAY = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|\+00:00)?"  # a time
    r"|\b\d+\.\d+ ?s\b"  # a duration
    r"|\b[0-9a-f]{32}\b"  # an id
)

# Where a reader would download, the test takes what is here.
COOKIECUTTER = """#!/bin/sh
for each; do
    shift
    case $each in gh:*) each={template} ;; esac
    set -- "$@" "$each"
done
{environment}/cookiecutter --config-file {config} "$@" || exit
for each in */pyproject.toml; do [ ! -e "$each" ] || {shims}/install "${{each%/*}}"; done
"""
INSTALL = """#!/bin/sh
cd "$1" && mkdir -p .venv/bin && touch .venv/synced
for each in ruff mypy moto_server; do ln -sf {environment}/$each .venv/bin/; done
for each in uv python pytest; do ln -sf {shims}/service-$each .venv/bin/$each; done
printf '#!/bin/sh\\nexec .venv/bin/python -m order_service.entrypoints.cli "$@"\\n' \\
    > .venv/bin/order-service && chmod +x .venv/bin/order-service
"""
UVX = '#!/bin/sh\nexec {shims}/"$@"\n'
# `uv tool run ... cookiecutter ...`, as `make new-command` does it
UV = """#!/bin/sh
while [ "$1" != cookiecutter ]; do shift; done
exec {shims}/"$@"
"""
PYTHON = '#!/bin/sh\nPYTHONPATH=src exec {environment}/python "$@"\n'
PYTEST = """#!/bin/sh
tests="{tests}"
if [ "$*" = "--numprocesses auto --ignore tests/bus" ] && [ "$tests" ]; then
    set --
    for each in $tests; do [ ! -e "${{each##-*}}" ] && [ "${{each##-*}}" ] || set -- "$@" $each; done
fi
exec {environment}/pytest -p no:cacheprovider "$@"
"""
# As much of curl as the pages use, for where there is none.
CURL = """#!{environment}/python
import argparse, sys, urllib.error, urllib.request

parser = argparse.ArgumentParser()
parser.add_argument("url")
parser.add_argument("-s", action="store_true")
for flag in "XHd":
    parser.add_argument(f"-{{flag}}")
asked = parser.parse_args()
request = urllib.request.Request(
    asked.url if "//" in asked.url else f"http://{{asked.url}}",
    asked.d and asked.d.encode(),
    dict([asked.H.split(": ")] if asked.H else []),
    method=asked.X or ("POST" if asked.d else "GET"),
)
try:
    answer = urllib.request.urlopen(request)
except urllib.error.HTTPError as error:
    answer = error
sys.stdout.buffer.write(answer.read())
"""
# All tests of a rendered service take their time, and are run elsewhere: here, `make test` runs these, if they are there.
CONCERNED = (
    "tests/unit/test_order*.py tests/unit/test_invoice.py tests/unit/test_golden.py"
    " tests/e2e/test_flow.py tests/e2e/test_invoices.py"
)


@dataclass(frozen=True)
class Step:
    """A block of a page."""

    page: Path
    line: int
    kind: str
    text: str
    file: str

    def __str__(self) -> str:
        return f"{self.page.name}, line {self.line}"


@dataclass(frozen=True)
class Command:
    """A command of a block, and what it is shown to say."""

    line: str
    output: str


def steps(page: Path) -> list[Step]:
    text = page.read_text()
    found = []
    for block in BLOCK.finditer(text):
        paragraph = text[: block.start()].rstrip().rpartition("\n\n")[2]
        named = re.findall(r"`([\w./{}-]+\.\w+)`", paragraph)
        line = text.count("\n", 0, block.start()) + 1
        found.append(Step(page, line, block[1], block[2], named[-1] if named else ""))
    return found


def commands(text: str) -> list[Command]:
    """Each line after `$ `, with those that it goes on in, and the lines up to the next."""
    found: list[Command] = []
    for line in text.splitlines():
        if line.startswith("$ "):
            found.append(Command(line[2:], ""))
        elif found[-1].line.endswith("\\") and not found[-1].output:
            found[-1] = Command(f"{found[-1].line}\n{line}", "")
        else:
            found[-1] = Command(found[-1].line, f"{found[-1].output}{line}\n")
    return found


def pattern(output: str) -> re.Pattern[str]:
    """What is shown, as an expression that what is said must match."""
    lines = []
    for line in output.splitlines():
        if line.strip() == "...":
            lines.append(r"(?:.*\n)*?")
        else:
            parts = re.split(rf"(\.\.\.|{OF_THE_DAY.pattern})", line)
            lines.append("".join(_part(part) for part in parts) + r"[ \t]*\n")
    return re.compile("".join(lines))


def _part(part: str) -> str:
    if part == "...":
        return ".*"
    return rf"(?:{OF_THE_DAY.pattern})" if OF_THE_DAY.fullmatch(part) else re.escape(part)


def change(folder: Path, step: Step) -> None:
    """Make the change of a file that a block shows."""
    path = folder / step.file
    assert step.file, f"{step}: the paragraph before it names no file"
    lines = [line or " " for line in step.text.splitlines()]
    hunks = "\n".join(lines).split("@@\n")
    for hunk in filter(None, hunks):
        hunk_lines = hunk.rstrip("\n").split("\n")
        assert {line[0] for line in hunk_lines} <= set(" +-"), f"{step}: {hunk}"
        old = "".join(f"{line[1:]}\n" for line in hunk_lines if line[0] != "+")
        new = "".join(f"{line[1:]}\n" for line in hunk_lines if line[0] != "-")
        if old:
            text = path.read_text()
            assert text.count(old) == 1, f"{step}: {text.count(old)} times in {path}:\n{old}"
            path.write_text(text.replace(old, new))
        else:
            assert not path.exists(), f"{step}: {path} is there already"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(new)


class Reader:
    """Somebody with an empty folder who does what a page says. The service is an `order-service`;
    its `make test` runs these `tests`, and with none, as by itself, all."""

    def __init__(
        self,
        folder: Path,
        *,
        tests: str = CONCERNED,
        curl: bool = shutil.which("curl") is not None,
    ) -> None:
        self.folder = folder / "reader"
        self.folder.mkdir()
        self._shims, self._log = folder / "shims", folder / "background.log"
        self._mypy = folder.parent / "mypy"  # what it found out serves the next one, too
        self._background: subprocess.Popen[bytes] | None = None
        self._shims.mkdir()
        with socket.create_server(("127.0.0.1", 0)) as free:
            self._port = str(free.getsockname()[1])
        scripts = {"cookiecutter": COOKIECUTTER, "install": INSTALL, "uvx": UVX}
        scripts |= {} if curl else {"curl": CURL}
        scripts |= {f"service-{name}": text for name, text in SERVICE_SCRIPTS.items()}
        for name, text in scripts.items():
            path = self._shims / name
            path.write_text(
                text.format(
                    config=own_config(folder),
                    environment=ENVIRONMENT,
                    shims=self._shims,
                    template=shlex.quote(str(TEMPLATE)),
                    tests=tests,
                )
            )
            path.chmod(0o755)

    def follow(self, page: Path) -> None:
        """Do all that the page says, in order."""
        try:
            for step in steps(page):
                if step.kind == "diff":
                    change(self.folder, step)
                elif step.kind != "patch":
                    for command in commands(step.text):
                        self.run(step, command)
        finally:
            self._stop()

    def run(self, step: Step, command: Command) -> None:
        """Type a command, and see that it says what is shown."""
        line = command.line.replace(PAGE_PORT, f"127.0.0.1:{self._port}")
        if line == "kill %1":
            self._stop()
        elif line.endswith("&"):
            self._start(line.removesuffix("&"))
        else:
            code, output = self._type(line)
            output = output.replace(f"127.0.0.1:{self._port}", PAGE_PORT)
            said = f"{step}: $ {command.line}\nended with {code} and said:\n{output}"
            assert (code != 0) == (step.kind == "console fails"), said
            if command.output:
                assert pattern(command.output).fullmatch(output), f"{said}\nnot:\n{command.output}"

    def _type(self, line: str) -> tuple[int, str]:
        """The exit code and the output. The folder it ends in is that of the next command."""
        where = self._shims / "where"
        outcome = subprocess.run(
            ["sh", "-c", f"{line}\ncode=$?; pwd > {shlex.quote(str(where))}; exit $code"],
            cwd=self.folder,
            env=self._environment(),
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=SECONDS,
            check=False,
        )
        self.folder = Path(where.read_text().strip())
        output = outcome.stdout
        return outcome.returncode, output if output.endswith("\n") or not output else f"{output}\n"

    def _start(self, line: str) -> None:
        with self._log.open("w") as log:
            self._background = subprocess.Popen(
                ["sh", "-c", line],
                cwd=self.folder,
                env=self._environment(),
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._wait(listening=True)

    def _stop(self) -> None:
        """As a shell ends a job: all that belongs to it."""
        if self._background:
            os.killpg(self._background.pid, signal.SIGTERM)
            self._wait(listening=False)
            self._background.wait(SECONDS)
            self._background = None

    def _wait(self, *, listening: bool) -> None:
        """Until the service listens on its port, or does so no more."""
        deadline = time.monotonic() + SECONDS
        while time.monotonic() < deadline:
            with socket.socket() as probe:
                if listening == (probe.connect_ex(("127.0.0.1", int(self._port))) == 0):
                    return
            if listening and self._background and self._background.poll() is not None:
                break
            time.sleep(0.05)
        raise AssertionError(f"listening: {not listening}\n{self._log.read_text()}")

    def _environment(self) -> dict[str, str]:
        path = f"{self._shims}{os.pathsep}{os.environ['PATH']}"
        return os.environ | {
            "PATH": path,
            "PORT": self._port,
            "TEMPLATE": str(TEMPLATE),
            "MYPY_CACHE_DIR": str(self._mypy),
            "COLUMNS": "80",
            **{f"GIT_{who}_NAME": "Reader" for who in ("AUTHOR", "COMMITTER")},
            **{f"GIT_{who}_EMAIL": "reader@example.com" for who in ("AUTHOR", "COMMITTER")},
        }


SERVICE_SCRIPTS = {"uv": UV, "python": PYTHON, "pytest": PYTEST}
