from __future__ import annotations

import tempfile
from collections.abc import Iterator

import pytest

from .support import COMBINATIONS, BakedProject, bake


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
