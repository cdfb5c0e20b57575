from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator

import pytest

from .support import COMBINATIONS, TEMPLATE, BakedProject, bake

for inherited in [name for name in os.environ if "MAKE" in name]:
    del os.environ[
        inherited
    ]  # a `make` that a test runs says otherwise that it is a part of this one

SHARES = 4
"""A run plants a share of the bugs, and with the next commit another one: all of them take too long."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--all-bugs", action="store_true", help="plant all bugs, not the share of this commit"
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("all_bugs") or config.getoption("keyword"):
        return
    planted = [item for item in items if isinstance(item, pytest.Function) and is_planted(item)]
    share = commits() % SHARES
    others = [item for number, item in enumerate(planted) if number % SHARES != share]
    config.hook.pytest_deselected(items=others)
    items[:] = [item for item in items if item not in set(others)]


def is_planted(item: pytest.Function) -> bool:
    return (
        item.path.name == "test_planted_bugs.py"
        and hasattr(item, "callspec")
        and "bug" in item.callspec.params
    )


def commits() -> int:
    """How many commits there are; 0 without git."""
    count = ["git", "rev-list", "--count", "HEAD"]
    found = subprocess.run(count, cwd=TEMPLATE, capture_output=True, text=True, check=False)
    return int(found.stdout or 0)


@pytest.fixture(scope="session", autouse=True)
def _own_temporary_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Cookiecutter forgets the hooks that it renders into the temporary folder."""
    with pytest.MonkeyPatch.context() as patch:
        folder = str(tmp_path_factory.mktemp("tmp"))
        patch.setenv("TMPDIR", folder)
        patch.setattr(tempfile, "tempdir", folder)
        yield


@pytest.fixture(scope="session", autouse=True)
def _own_cache_of_mypy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What mypy found out about the dependencies serves every service that this process checks."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MYPY_CACHE_DIR", str(tmp_path_factory.getbasetemp() / "mypy"))
        yield


@pytest.fixture(scope="session")
def baked(tmp_path_factory: pytest.TempPathFactory) -> dict[str, BakedProject]:
    """Every combination, rendered once. Tests read them and change nothing."""
    return {
        name: bake(tmp_path_factory.mktemp(name), **answers)
        for name, answers in COMBINATIONS.items()
    }


@pytest.fixture(params=COMBINATIONS)
def project(request: pytest.FixtureRequest, baked: dict[str, BakedProject]) -> BakedProject:
    return baked[request.param]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What tests measured, which is reported and not asserted: the machine decides."""
    for report in terminalreporter.getreports("passed"):
        for name, value in report.user_properties:
            terminalreporter.write_line(f"{name} {value}")
