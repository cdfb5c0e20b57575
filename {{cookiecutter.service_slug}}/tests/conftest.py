"""Fixtures that any test may ask for."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.configuration import set_hypothesis_home_dir

from {{ cookiecutter.__package }}.adapters import aws
from {{ cookiecutter.__package }}.config import Settings

from .support.harness import Scenario

# How fast a machine is just now is nobody's bug.
settings.register_profile("any", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any")


def pytest_collection(session: pytest.Session) -> None:
    """No test, and no module of tests, reads your `.env` or your variables, or writes beside your
    code: all of them run in a temporary folder, without the variables that the settings know."""
    folder, patch = TemporaryDirectory(), pytest.MonkeyPatch()
    patch.chdir(folder.name)
    for name in Settings.model_fields:
        patch.delenv(name.upper(), raising=False)
    set_hypothesis_home_dir(Path(folder.name))

    def leave() -> None:
        patch.undo()
        folder.cleanup()

    session.config.add_cleanup(leave)


@pytest.fixture
def scenario() -> Scenario:
    """The service in memory, with nothing in it."""
    return Scenario()


@pytest.fixture(autouse=True)
def _session_of_its_own() -> Iterator[None]:
    """No test sees the credentials that one before it had in the environment."""
    yield
    aws.session.cache_clear()
