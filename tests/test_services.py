"""A rendered service works: its own tests pass, from a fresh environment too."""

from __future__ import annotations

import fnmatch
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from .support import COMBINATIONS, BakedProject, bake, own_config
from .test_parts import add


@pytest.mark.slow
@pytest.mark.parametrize("name", ["zebra", "longest"])
def test_the_rendered_tests_pass_under_other_names(tmp_path: Path, name: str) -> None:
    """The owner's: those in `tests/bus` name no aggregate."""
    project = bake(tmp_path, **COMBINATIONS[name])
    tests = ("--numprocesses=2", "--ignore=tests/bus")
    assert " passed" in project.run("pytest", "--quiet", *tests, PYTHONPATH="src")


def test_the_rendered_tests_of_postgres_pass(tmp_path: Path) -> None:
    """Those of its store. All of them run in an environment of their own, in the slow target."""
    project = bake(tmp_path, **COMBINATIONS["postgres"])
    own = sorted(fnmatch.filter(project.files, "tests/bus/contract/test_*postgres.py"))
    assert "tests/bus/contract/test_postgres.py" in own
    assert " passed" in project.run("pytest", "--quiet", "--numprocesses=2", *own, PYTHONPATH="src")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["defaults", "postgres"])
def test_the_slow_ones_of_the_rendered_tests_pass(tmp_path: Path, name: str) -> None:
    project = bake(tmp_path, **COMBINATIONS[name])
    assert " passed" in project.run("pytest", "--quiet", "-m", "slow", PYTHONPATH="src")


@pytest.mark.slow
def test_mutations_of_the_domain_are_noticed_unless_a_test_is_missing(tmp_path: Path) -> None:
    project = bake(tmp_path, store="sqlite", features="quality")
    add(project.path, "aggregate", own_config(tmp_path))  # one that is new is changed as well
    project.run("python", "-m", "tests.support.golden", PYTHONPATH="src:.")
    project.run("mutmut", "run")
    assert project.run("mutmut", "results") == ""

    tests = project.path / "tests/unit/test_order.py"
    kept, _, rest = tests.read_text().partition("def test_it_is_not_processed_twice")
    tests.write_text(kept + rest[rest.index("def test_") :])
    shutil.rmtree(project.path / "mutants")
    project.run("mutmut", "run")
    assert "process__mutmut_4: survived" in project.run("mutmut", "results")


@pytest.mark.slow
def test_under_load_nothing_fails_and_a_report_comes_out(tmp_path: Path) -> None:
    project = bake(tmp_path, store="sqlite", features="quality")
    report = project.run("python", "-m", "tests.load", PYTHONPATH="src:.", USERS="4", SECONDS="3")
    for request in ("POST     /orders", "GET      /orders", "GET      /orders/[id]"):
        (line,) = re.findall(rf"^{re.escape(request)} .*\(0\.00%\).*$", report, re.MULTILINE)
        assert int(line.split()[2]) > 0


@pytest.mark.parametrize(
    "answers",
    [
        COMBINATIONS["defaults"],
        pytest.param(COMBINATIONS["longest"] | COMBINATIONS["postgres"], marks=pytest.mark.slow),
    ],
    ids=["dynamodb", "postgres under the longest names"],
)
def test_python_and_make_are_enough_for_a_fresh_service(
    tmp_path: Path, answers: dict[str, str]
) -> None:
    project = bake(tmp_path, **answers)
    # What its tests must not read, from which all of them would fail.
    (project.path / ".env").write_text("STORE=nonsense\nPORT=x\n")
    before = project.files
    make(project, "test-all", "check", STORE="nonsense", PORT="y")
    assert project.files == before | {"uv.lock"}
    assert not (project.path / "var").exists()

    again = make(project, "--debug=basic", ".venv/synced")
    assert "uv sync" not in again, "nothing changed, and it was installed again"

    (project.path / "pyproject.toml").touch()
    assert "uv sync" in make(project, ".venv/synced")

    uv = str(project.path / ".venv/bin/uv")
    assert "passed" in project.run(uv, "run", "pytest", "tests/unit/test_config.py")
    with_extra = project.run(uv, "pip", "install", "--dry-run", "-e", ".[dev]", VIRTUAL_ENV=".venv")
    assert "does not have an extra" not in with_extra

    activated = {"PATH": f"{project.path / '.venv/bin'}{os.pathsep}{os.environ['PATH']}"}
    assert "passed" in project.run("pytest", "tests/unit", **activated)
    assert "serve" in project.run(project.path.name, "--help", **activated)


def test_make_without_a_target_lists_the_targets(baked: dict[str, BakedProject]) -> None:
    listed = make(baked["defaults"])
    for target in ("run", "dev", "test", "test-bus", "test-all", "check", "format", "clean"):
        assert f"  {target} " in listed


def test_make_says_so_when_there_is_no_python(
    baked: dict[str, BakedProject], tmp_path: Path
) -> None:
    tools = tmp_path / "bin"
    tools.mkdir()
    for tool in ("make", "sh"):
        (tools / tool).symlink_to(f"/usr/bin/{tool}")
    outcome = subprocess.run(
        [tools / "make", "test"],
        cwd=baked["defaults"].path,
        env={"PATH": str(tools)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert outcome.returncode != 0
    assert outcome.stderr.splitlines()[0] == (
        "No python3 of version 3.11 or newer was found: install one, then run make again."
    )


def test_make_update_says_so_when_nothing_is_known_of_the_template(
    baked: dict[str, BakedProject], tmp_path: Path
) -> None:
    (tmp_path / "Makefile").write_text((baked["sqlite"].path / "Makefile").read_text())
    (tmp_path / ".venv/bin").mkdir(parents=True)
    (tmp_path / ".venv/bin/uv").touch()
    outcome = subprocess.run(
        ["make", "update"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert outcome.returncode != 0
    assert outcome.stderr.splitlines()[0] == (
        "There is no .cruft.json: link the service to its template first, see Updates in README.md."
    )


def test_make_says_so_when_the_template_of_a_part_cannot_be_fetched(
    baked: dict[str, BakedProject], tmp_path: Path
) -> None:
    (tmp_path / "Makefile").write_text((baked["sqlite"].path / "Makefile").read_text())
    (tmp_path / "pyproject.toml").touch()
    (tmp_path / ".venv/bin").mkdir(parents=True)
    (tmp_path / ".venv/bin/python").symlink_to(sys.executable)
    (tmp_path / ".venv/bin/uv").symlink_to("/bin/echo")
    (tmp_path / ".venv/synced").touch()

    def new_command(*template: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["make", "--silent", "new-command", *template],
            cwd=tmp_path,
            env=os.environ | {"GIT_ALLOW_PROTOCOL": "file"},
            capture_output=True,
            text=True,
            check=False,
        )

    for given in ([], ["TEMPLATE=gh:nobody/nothing"], [f"TEMPLATE=file://{tmp_path}/git-nothing"]):
        outcome = new_command(*given)
        assert outcome.returncode != 0
        assert outcome.stdout == ""
        said, of_make = outcome.stderr.splitlines()
        assert said.startswith("The template cannot be fetched from ")
        assert "make new-command TEMPLATE=..." in said
        assert of_make.startswith("make: ***")
    (tmp_path / "template").mkdir()
    subprocess.run(["git", "init", "--quiet", "template"], cwd=tmp_path, check=True)
    assert " template --output-dir .." in new_command("TEMPLATE=template").stdout
    url = f"file://{tmp_path}/template"
    assert f" git+{url} --output-dir .." in new_command(f"TEMPLATE={url}").stdout


def test_an_audit_that_could_not_look_something_up_fails(baked: dict[str, BakedProject]) -> None:
    """pip-audit passes over what its database does not have, and ends with 0, unless told not to:
    behind a mirror of PyPI, that is everything."""
    commands = make(baked["sqlite"], "--dry-run", "audit").splitlines()
    (audit,) = [each for each in commands if "pip-audit" in each]
    assert "pip-audit --strict " in audit


def make(project: BakedProject, *targets: str, **settings: str) -> str:
    """In an environment of its own, of which mypy finds out other things."""
    return project.run("make", *targets, MYPY_CACHE_DIR="", **settings)
