"""A history of the template: its versions of before, made from the one of now, and an owner's edits.

A change is a file, a text in it, and what stands there instead. Each must find its text.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

from .support import ENVIRONMENT, LEFT_BY_TOOLS, TEMPLATE

Change = tuple[str, str, str]

SERVICE = "{{cookiecutter.service_slug}}"
PACKAGE = f"{SERVICE}/src/{{{{cookiecutter.__package}}}}"
AGGREGATE = "{{cookiecutter.__aggregate_snake}}"

# What the newest version brought, taken back: a version of the bus and its codec, a method, a new
# default, an adapter's way, an option of the command line, a test's support, words for readers.
BEFORE_V3: list[Change] = [
    (f"{PACKAGE}/bus/__init__.py", '__version__ = "1.0.0"', '__version__ = "0.9.0"'),
    (f"{PACKAGE}/bus/store/codec.py", "CODEC_VERSION = 1", "CODEC_VERSION = 0"),
    (f"{PACKAGE}/bus/runtime/dispatch.py", "    attempts: int = 12\n", "    attempts: int = 8\n"),
    (
        f"{PACKAGE}/bus/runtime/dispatch.py",
        """
    def pause(self, attempt: int) -> None:
        time.sleep(random.uniform(0, min(self.cap, self.base * 2**attempt)))  # noqa: S311 - jitter
""",
        "",
    ),
    (
        f"{PACKAGE}/bus/runtime/message_bus.py",
        "                self.retry.pause(attempt)\n",
        "                time.sleep(min(self.retry.cap, self.retry.base * 2**attempt))\n",
    ),
    (f"{PACKAGE}/adapters/files/disk.py", 'prefix=".writing-"', 'prefix=".tmp-"'),
    (
        f"{PACKAGE}/entrypoints/cli/program.py",
        '    parser.add_argument("--version", action="version", version=versions)\n',
        '    parser.add_argument("-V", action="version", version=versions)\n',
    ),
    (f"{SERVICE}/tests/bus/e2e/test_cli.py", 'run(tmp_path, "--version")', 'run(tmp_path, "-V")'),
    (f"{PACKAGE}/domain/{AGGREGATE}/aggregate.py", "what was processed is archived.", "no more."),
    (f"{SERVICE}/compose.yaml", "# ", "# As of old: "),
    (f"{SERVICE}/tests/support/fakes.py", "Stands still until it is told to move.", "It stands."),
    (f"{SERVICE}/README.md", "\nThe cycle is durable. A commit holds", "\nA commit holds"),
    (f"{SERVICE}/pyproject.toml", '    "uvicorn>=0.32",\n', '    "uvicorn>=0.30",\n'),
]

# What the second version brought, taken back in the same way.
BEFORE_V2: list[Change] = [
    (f"{PACKAGE}/bus/__init__.py", '__version__ = "0.9.0"', '__version__ = "0.8.0"'),
    (f"{PACKAGE}/bus/__init__.py", "from .runtime.worker import", "from .runtime.work import"),
    (f"{SERVICE}/tests/unit/test_layers.py", '["wiring", "worker",', '["wiring", "work",'),
    (f"{PACKAGE}/bus/runtime/dispatch.py", "    attempts: int = 8\n", "    attempts: int = 5\n"),
    (
        f"{PACKAGE}/adapters/event_store/sqlite/store.py",
        "Only one\nwriter",
        "Only\none writer",
    ),
    (f"{PACKAGE}/bootstrap.py", "which adapter serves which port.", "the adapters."),
    (f"{SERVICE}/README.md", "An export holds everything that", "It holds what"),
    (f"{SERVICE}/tests/support/race.py", '"""', '"""Races. '),
]
MOVED_IN_V2 = (f"{PACKAGE}/bus/runtime/worker.py", f"{PACKAGE}/bus/runtime/work.py")
REMOVED_IN_V2 = f"{PACKAGE}/adapters/clock.py"
REMOVED_IN_V3 = f"{SERVICE}/tests/support/clock.py"


def repository(folder: Path) -> Path:
    """A repository of the template with the tags v1, v2 and v3, the last as it is now."""
    template = folder / "template"
    git(folder, "init", "--quiet", "--initial-branch=main", "template")
    now, second, first = (folder / name for name in ("now", "second", "first"))
    shutil.copytree(TEMPLATE, now, ignore=shutil.ignore_patterns(*LEFT_BY_TOOLS))
    shutil.copytree(now, second)
    change(second, BEFORE_V3)
    (second / REMOVED_IN_V3).write_text('"""A clock, which nobody uses any more."""\n')
    shutil.copytree(second, first)
    change(first, BEFORE_V2)
    moved, place = MOVED_IN_V2
    (first / moved).rename(first / place)
    (first / REMOVED_IN_V2).write_text('"""The time of day, which nobody asks for."""\n')
    for tag, version in (("v1", first), ("v2", second), ("v3", now)):
        for path in template.iterdir():
            if path.name != ".git":
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        shutil.copytree(version, template, dirs_exist_ok=True)
        commit(template, f"Template, {tag}")
        git(template, "tag", tag)
    return template


def change(folder: Path, changes: Iterable[Change]) -> None:
    for name, text, other in changes:
        path = folder / name
        before = path.read_text()
        assert text in before, f"{name} no longer has {text!r}"
        path.write_text(before.replace(text, other, 1))


def commit(folder: Path, message: str) -> None:
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", message)


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=Tester", "-c", "user.email=tester@example.com"]
    return command(folder, "git", *identity, "-c", "commit.gpgsign=false", *arguments)


def cruft(folder: Path, *arguments: str) -> str:
    return command(folder, str(ENVIRONMENT / "cruft"), *arguments)


def command(folder: Path, *arguments: str, fails: bool = False) -> str:
    """What it said. It succeeds, unless it `fails`. It has a home of its own, beside the folder: neither git nor cookiecutter sees
    the settings of whoever runs the tests, nor leaves anything there."""
    home = str(folder.parent)
    own = {"HOME": home, "XDG_CONFIG_HOME": home, "PYTHONDONTWRITEBYTECODE": ""}
    outcome = subprocess.run(
        arguments,
        cwd=folder,
        env=os.environ | own,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert (outcome.returncode != 0) == fails, outcome.stdout
    return outcome.stdout
