"""Fixtures that any test may ask for."""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from {{ cookiecutter.__package }}.adapters import aws
from {{ cookiecutter.__package }}.config import Settings

from .support.harness import Scenario

# How fast a machine is just now is nobody's bug.
settings.register_profile("any", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any")


@pytest.fixture(autouse=True, scope="session")
def _nothing_of_the_developer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No test reads your `.env` or your variables, or writes beside your code: all of them run in a
    folder of their own, without the variables that the settings know."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("working"))
        for name in Settings.model_fields:
            patch.delenv(name.upper(), raising=False)
        yield


@pytest.fixture
def scenario() -> Scenario:
    """The service in memory, with nothing in it."""
    return Scenario()


@pytest.fixture(autouse=True)
def _session_of_its_own() -> Iterator[None]:
    """No test sees the credentials that one before it had in the environment."""
    yield
    aws.session.cache_clear()
