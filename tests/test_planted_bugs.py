"""The tests of a rendered service can fail: each bug that is planted turns them red."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from .planted_bugs import (
    BUS,
    CRASH,
    DYNAMODB,
    DYNAMODB_BESIDE,
    INTAKE,
    LAMBDA,
    POSTGRES,
    SERVER,
    WRITTEN,
)
from .support import BakedProject

FAILED = 1  # pytest's exit code for tests that ran and failed
pytestmark = pytest.mark.slow


@pytest.mark.parametrize(("file", "text", "bug"), BUS)
def test_a_bug_in_the_bus_is_found(
    baked: dict[str, BakedProject], tmp_path: Path, file: str, text: str, bug: str
) -> None:
    planted = plant(baked["sqlite"], tmp_path, file, text, bug)
    assert run_tests(planted, "tests/unit", "tests/contract") == FAILED


@pytest.mark.parametrize(("text", "bug"), DYNAMODB)
def test_a_bug_in_the_dynamodb_store_is_found(
    baked: dict[str, BakedProject], tmp_path: Path, text: str, bug: str
) -> None:
    file = "adapters/event_store/dynamodb/store.py"
    planted = plant(baked["defaults"], tmp_path, file, text, bug)
    assert run_tests(planted, "tests/contract/test_dynamodb.py", "tests/integration") == FAILED


@pytest.mark.parametrize(("file", "text", "bug"), DYNAMODB_BESIDE)
def test_a_bug_beside_the_dynamodb_store_is_found(
    baked: dict[str, BakedProject], tmp_path: Path, file: str, text: str, bug: str
) -> None:
    planted = plant(baked["defaults"], tmp_path, f"adapters/event_store/{file}", text, bug)
    assert run_tests(planted, "tests/contract/test_dynamodb.py", "tests/integration") == FAILED


@pytest.mark.parametrize(("file", "text", "bug"), POSTGRES)
def test_a_bug_in_the_postgres_store_is_found(
    baked: dict[str, BakedProject], tmp_path: Path, file: str, text: str, bug: str
) -> None:
    planted = plant(baked["postgres"], tmp_path, f"adapters/event_store/{file}", text, bug)
    assert run_tests(planted, "tests/contract/test_postgres.py") == FAILED


@pytest.mark.parametrize(("file", "text", "bug"), LAMBDA)
def test_a_bug_in_a_lambda_function_is_found(
    baked: dict[str, BakedProject], tmp_path: Path, file: str, text: str, bug: str
) -> None:
    planted = plant(baked["defaults"], tmp_path, f"entrypoints/{file}", text, bug)
    tests = ("tests/e2e/test_aws_lambda.py", "tests/integration/test_aws_events.py")
    assert run_tests(planted, *tests) == FAILED


@pytest.mark.parametrize(("file", "text", "bug"), INTAKE)
def test_a_bug_in_the_intake_is_found(
    baked: dict[str, BakedProject], tmp_path: Path, file: str, text: str, bug: str
) -> None:
    planted = plant(baked["sqlite"], tmp_path, f"entrypoints/{file}", text, bug)
    assert run_tests(planted, "tests/unit/test_intake.py") == FAILED


@pytest.mark.parametrize(("file", "text", "bug"), SERVER)
def test_a_bug_in_what_serves_is_found(
    baked: dict[str, BakedProject], tmp_path: Path, file: str, text: str, bug: str
) -> None:
    planted = plant(baked["sqlite"], tmp_path, f"entrypoints/{file}", text, bug)
    tests = (
        *("embedded_worker", "cli_answers", "cli_robust"),
        *("server", "operations", "http", "openapi"),
    )
    assert run_tests(planted, *(f"tests/e2e/test_{name}.py" for name in tests)) == FAILED


@pytest.mark.parametrize(("file", "text", "bug"), CRASH)
def test_a_bug_is_found_by_killing(
    baked: dict[str, BakedProject], tmp_path: Path, file: str, text: str, bug: str
) -> None:
    planted = plant(baked["sqlite"], tmp_path, file, text, bug)
    assert run_tests(planted, "tests/crash/test_sqlite.py", "-m", "not slow") == FAILED


@pytest.mark.parametrize(("name", "bug"), WRITTEN)
def test_another_way_to_store_is_found(
    baked: dict[str, BakedProject], tmp_path: Path, name: str, bug: tuple[str, str, str]
) -> None:
    planted = plant(baked[name], tmp_path, *bug)
    tests = sorted(str(path) for path in planted.glob("tests/contract/test_written*.py"))
    assert run_tests(planted, *tests) == FAILED


def plant(project: BakedProject, folder: Path, file: str, text: str, bug: str) -> Path:
    copy = folder / "service"
    shutil.copytree(project.path, copy, ignore=shutil.ignore_patterns("__pycache__"))
    path = copy / "src" / project.package / file
    sound = path.read_text()
    assert text in sound, f"{file} no longer has {text!r}"
    path.write_text(sound.replace(text, bug, 1))
    compile(path.read_text(), path, "exec")
    return copy


def run_tests(service: Path, *tests: str) -> int:
    """The exit code. A bug may keep a test from ending: that is found, too."""
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *tests]
    try:
        outcome = subprocess.run(
            command,
            cwd=service,
            env={"PYTHONPATH": "src", "PATH": "/usr/bin:/bin"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=120,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return FAILED
    return outcome.returncode
