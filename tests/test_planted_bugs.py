"""The tests of a rendered service can fail: each bug that is planted turns them red."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from .forks import FAILED, PASSED, ForkServer
from .planted_bugs import (
    BUS,
    CONNECTIONS,
    CRASH,
    DATABASE_SECRET,
    DYNAMODB,
    DYNAMODB_BESIDE,
    FILES,
    HANGING,
    INTAKE,
    LAMBDA,
    POSTGRES,
    POSTGRES_FEED,
    SERVER,
    WRITTEN,
)
from .support import BakedProject

pytestmark = pytest.mark.slow
forks = ForkServer()


@pytest.fixture(scope="module", autouse=True)
def _the_server_ends_with_the_tests() -> Iterator[None]:
    yield
    forks.close()


@pytest.mark.parametrize("name", ["sqlite", "defaults", "postgres"])
def test_where_no_bug_is_planted_none_is_found(baked: dict[str, BakedProject], name: str) -> None:
    service = baked[name].path
    tests = ("tests/bus/unit/test_bus.py", "tests/bus/contract/test_memory.py")
    assert run_tests(service, *tests) == PASSED


def test_a_test_that_does_not_end_has_found_a_bug(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text("def test_it():\n    while True: pass\n")
    assert forks.pytest(tmp_path, timeout=1) == FAILED


@pytest.mark.parametrize(("file", "text", "bug"), BUS)
def test_a_bug_in_the_bus_is_found(
    baked: dict[str, BakedProject], tmp_path: Path, file: str, text: str, bug: str
) -> None:
    planted = plant(baked["sqlite"], tmp_path, file, text, bug)
    assert run_tests(planted, "tests/bus/unit", "tests/bus/contract") == FAILED


@pytest.mark.parametrize(("text", "bug"), DYNAMODB)
def test_a_bug_in_the_dynamodb_store_is_found(
    baked: dict[str, BakedProject], tmp_path: Path, text: str, bug: str
) -> None:
    file = "adapters/event_store/dynamodb/store.py"
    planted = plant(baked["defaults"], tmp_path, file, text, bug)
    tests = ("tests/bus/contract/test_dynamodb.py", "tests/bus/integration")
    assert run_tests(planted, *tests) == FAILED


@pytest.mark.parametrize(("file", "text", "bug"), DYNAMODB_BESIDE)
def test_a_bug_beside_the_dynamodb_store_is_found(
    baked: dict[str, BakedProject], tmp_path: Path, file: str, text: str, bug: str
) -> None:
    planted = plant(baked["defaults"], tmp_path, f"adapters/event_store/{file}", text, bug)
    tests = ["tests/bus/contract/test_dynamodb.py", "tests/bus/integration"]
    tests.sort(reverse=file in {"dynamodb/connection.py", "dynamodb/errors.py"})
    assert run_tests(planted, *tests) == FAILED


@pytest.mark.parametrize(("file", "text", "bug"), POSTGRES)
def test_a_bug_in_the_postgres_store_is_found(
    baked: dict[str, BakedProject], tmp_path: Path, file: str, text: str, bug: str
) -> None:
    planted = plant(baked["postgres"], tmp_path, f"adapters/event_store/{file}", text, bug)
    tests = ["tests/bus/contract/test_postgres.py"]
    if file in {"postgres/__init__.py", "postgres/database.py"}:
        tests += ["-k", "not EventStore"]
    assert run_tests(planted, *tests) == FAILED


@pytest.mark.parametrize(("file", "text", "bug"), POSTGRES_FEED)
def test_a_bug_in_the_feed_of_postgres_is_found(
    baked: dict[str, BakedProject], tmp_path: Path, file: str, text: str, bug: str
) -> None:
    planted = plant(baked["postgres"], tmp_path, file, text, bug)
    assert run_tests(planted, "tests/bus/contract/test_feed_postgres.py") == FAILED


@pytest.mark.parametrize(("file", "text", "bug"), DATABASE_SECRET)
def test_a_bug_in_the_secret_of_the_database_is_found(
    baked: dict[str, BakedProject], tmp_path: Path, file: str, text: str, bug: str
) -> None:
    planted = plant(baked["postgres"], tmp_path, f"adapters/event_store/{file}", text, bug)
    assert run_tests(planted, "tests/bus/integration/test_database_secret.py") == FAILED


@pytest.mark.parametrize(("file", "text", "bug"), LAMBDA)
def test_a_bug_in_a_lambda_function_is_found(
    baked: dict[str, BakedProject], tmp_path: Path, file: str, text: str, bug: str
) -> None:
    planted = plant(baked["defaults"], tmp_path, f"entrypoints/{file}", text, bug)
    tests = ("tests/bus/e2e/test_aws_lambda.py", "tests/bus/integration/test_aws_events.py")
    assert run_tests(planted, *tests) == FAILED


@pytest.mark.parametrize(("file", "text", "bug"), FILES)
def test_a_bug_in_the_places_of_files_is_found(
    baked: dict[str, BakedProject], tmp_path: Path, file: str, text: str, bug: str
) -> None:
    planted = plant(baked["defaults"], tmp_path, f"adapters/{file}", text, bug)
    assert run_tests(planted, "tests/integration/test_s3.py") == FAILED


@pytest.mark.parametrize(("file", "text", "bug"), INTAKE)
def test_a_bug_in_the_intake_is_found(
    baked: dict[str, BakedProject], tmp_path: Path, file: str, text: str, bug: str
) -> None:
    planted = plant(baked["sqlite"], tmp_path, f"entrypoints/{file}", text, bug)
    tests = ("tests/bus/unit/test_intake.py", "tests/unit/test_open_lists.py")
    assert run_tests(planted, *tests) == FAILED


@pytest.mark.parametrize(("file", "text", "bug"), SERVER)
def test_a_bug_in_what_serves_is_found(
    baked: dict[str, BakedProject], tmp_path: Path, file: str, text: str, bug: str
) -> None:
    planted = plant(baked["sqlite"], tmp_path, f"entrypoints/{file}", text, bug)
    names = [
        "callers",
        "http",
        "embedded_worker",
        "cli_answers",
        "cli_robust",
        "operations",
        "openapi",
        "server",
    ]
    names.sort(key=lambda name: not any(word in file for word in name.split("_")))
    assert run_tests(planted, *(f"tests/bus/e2e/test_{name}.py" for name in names)) == FAILED


@pytest.mark.parametrize(("file", "text", "bug"), CONNECTIONS)
def test_a_bug_in_the_limits_of_connections_is_found(
    baked: dict[str, BakedProject], tmp_path: Path, file: str, text: str, bug: str
) -> None:
    planted = plant(baked["sqlite"], tmp_path, f"entrypoints/{file}", text, bug)
    tests = ("tests/bus/unit/test_connections.py", "tests/bus/e2e/test_slow_clients.py")
    assert run_tests(planted, *tests) == FAILED


@pytest.mark.parametrize(("file", "text", "bug"), HANGING)
def test_a_bug_while_calls_hang_is_found(
    baked: dict[str, BakedProject], tmp_path: Path, file: str, text: str, bug: str
) -> None:
    planted = plant(baked["sqlite"], tmp_path, f"entrypoints/{file}", text, bug)
    assert run_tests(planted, "tests/bus/e2e/test_hanging.py") == FAILED


@pytest.mark.parametrize(("file", "text", "bug"), CRASH)
def test_a_bug_is_found_by_killing(
    baked: dict[str, BakedProject], tmp_path: Path, file: str, text: str, bug: str
) -> None:
    planted = plant(baked["sqlite"], tmp_path, file, text, bug)
    assert run_tests(planted, "tests/bus/crash/test_sqlite.py", "-k", "killed") == FAILED


@pytest.mark.parametrize(("name", "bug"), WRITTEN)
def test_another_way_to_store_is_found(
    baked: dict[str, BakedProject], tmp_path: Path, name: str, bug: tuple[str, str, str]
) -> None:
    planted = plant(baked[name], tmp_path, *bug)
    tests = sorted(str(path) for path in planted.glob("tests/bus/contract/test_written*.py"))
    assert run_tests(planted, *tests) == FAILED


def plant(project: BakedProject, folder: Path, file: str, text: str, bug: str) -> Path:
    copy = folder / "service"
    shutil.copytree(compiled(project.path), copy)
    path = copy / "src" / project.package / file
    sound = path.read_text()
    assert text in sound, f"{file} no longer has {text!r}"
    path.write_text(sound.replace(text, bug, 1))
    compile(path.read_text(), path, "exec")
    # Python compares the size and the second: it could take the sound file's byte code for the bug's.
    for stale in path.parent.glob(f"__pycache__/{path.stem}.*"):
        stale.unlink()
    return copy


@cache
def compiled(service: Path) -> Path:
    """The service with its byte code, which need not be made again in each copy."""
    assert run_tests(service, "--collect-only") == PASSED
    return service


def run_tests(service: Path, *tests: str) -> int:
    """The exit code. Those run as well that take their time."""
    return forks.pytest(service, "-q", "-x", "-p", "no:cacheprovider", "-m", "", *tests)
