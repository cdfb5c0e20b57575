"""Rendering a project and running its tests, next to other public templates."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from itertools import count
from pathlib import Path

from benchmarks.ground import BIN, Ground, last_line, render, run
from benchmarks.measure import CouldNotRun, Spread, Turn
from benchmarks.report import Part
from benchmarks.svg import bars

STORES = ("dynamodb", "postgres", "sqlite")
SETTINGS = {
    "KEDRO_DISABLE_TELEMETRY": "1",  # it would wait for the network
    # PyScaffold commits what it makes
    "GIT_CONFIG_COUNT": "2",
    "GIT_CONFIG_KEY_0": "user.name",
    "GIT_CONFIG_VALUE_0": "Bench",
    "GIT_CONFIG_KEY_1": "user.email",
    "GIT_CONFIG_VALUE_1": "bench@example.com",
}

ABOUT = """A project rendered by the command that its template documents, in a fresh process, with the default answers; and
the tests that come with it, run once, in an environment that has what they need. Ours with each store; Kedro's
template, which Cookiecutter renders as it does ours; PyScaffold's. They are other kinds of projects, and smaller:
the number of files and tests stands beside. Nothing is held against a limit here."""


def measure(ground: Ground) -> Part:
    part = Part("rendering", "Rendering, and the rendered tests", ABOUT)
    made: dict[str, Path] = {}
    numbers = count()

    def ours(store: str) -> Turn:
        def turn(n: int) -> float:
            seconds = 0.0
            for _ in range(n):
                folder = ground.folder / "rendered" / f"{store}-{next(numbers)}"
                seconds += render(ground.template, folder, store)
                made[f"ours, {store}"] = folder / "bench-service"
            return seconds

        return turn

    def theirs(name: str, python: Path, arguments: list[str], project: str) -> Turn:
        def turn(n: int) -> float:
            seconds = 0.0
            for _ in range(n):
                folder = ground.folder / "rendered" / f"{name}-{next(numbers)}"
                folder.mkdir(parents=True)
                started = time.perf_counter()
                _checked([str(python.parent / arguments[0]), *arguments[1:]], folder)
                seconds += time.perf_counter() - started
                made[name] = folder / project
            return seconds

        return turn

    turns: dict[str, Turn] = {f"ours, {store}": ours(store) for store in STORES}
    pythons = {name: Path(sys.executable) for name in turns}
    for name, peer, arguments, project in (
        (
            "Kedro",
            "kedro",
            ["kedro", "new", "--name=Bench", "--tools=test", "--example=n", "--telemetry=no"],
            "bench",
        ),
        ("PyScaffold", "pyscaffold", ["putup", "bench"], "bench"),
    ):
        try:
            pythons[name] = ground.python(peer)
        except CouldNotRun as error:
            part.missing[name] = str(error)
        else:
            turns[name] = theirs(name, pythons[name], arguments, project)
            say = f"from importlib.metadata import version; print(version('{peer}'))"
            ground.versions[peer] = run([str(pythons[name]), "-c", say]).strip()
    measured = ground.measure(turns, seconds=0.01, rounds=min(ground.rounds, 5))
    part.missing.update(measured.failed)
    for name in measured.seconds:
        files = sum(each.is_file() and ".git" not in each.parts for each in made[name].rglob("*"))
        part.row(f"{name}: rendering", measured.time(name), "s", f"{files} files")
    part.pictures["Seconds to render"] = bars(
        {name: measured.time(name).median for name in measured.seconds}, unit="s"
    )
    tests: dict[str, float] = {}
    for name in measured.seconds:
        parallel = ["--numprocesses", "auto"] if name.startswith("ours") else []
        try:
            tests[name], passed = _tests(made[name], pythons[name], parallel, quick=ground.quick)
        except CouldNotRun as error:
            part.missing[f"{name}: its tests"] = str(error)
        else:
            part.row(f"{name}: its tests", Spread.of([tests[name]]), "s", f"{passed} passed")
    if tests:
        part.pictures["Seconds of the rendered tests"] = bars(tests, unit="s")
    return part


def _tests(project: Path, python: Path, options: list[str], *, quick: bool) -> tuple[float, int]:
    """The seconds that the tests take, and how many pass."""
    some = ["tests/unit"] if quick and (project / "tests/unit").is_dir() else []
    command = [str(python), "-m", "pytest", "-q", "-p", "no:cacheprovider", *options, *some]
    environment = {
        "PYTHONPATH": "src",
        "PATH": f"{python.parent}{os.pathsep}{BIN}{os.pathsep}{os.environ['PATH']}",
    }
    started = time.perf_counter()
    output = _checked(command, project, **environment)
    seconds = time.perf_counter() - started
    found = re.search(r"(\d+) passed", output)
    if not found:
        raise CouldNotRun(last_line(output))
    return seconds, int(found.group(1))


def _checked(command: list[str], folder: Path, **settings: str) -> str:
    outcome = subprocess.run(
        command,
        cwd=folder,
        env=os.environ | SETTINGS | {"HOME": str(folder)} | settings,
        text=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    if outcome.returncode:
        raise CouldNotRun(f"{Path(command[0]).name}: {last_line(outcome.stdout)}")
    return outcome.stdout
