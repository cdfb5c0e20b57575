"""Fixtures that any test may ask for."""

import os
from collections.abc import Generator, Iterator
from pathlib import Path
from tempfile import gettempdir

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.configuration import set_hypothesis_home_dir

from {{ cookiecutter.__package }}.config import Settings

from .support.harness import Scenario

# How fast a machine is just now is nobody's bug.
settings.register_profile("any", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any")
set_hypothesis_home_dir(Path(gettempdir(), "hypothesis"))


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """No test reads your `.env` or your variables, not even when its module is imported."""
    for name in Settings.model_fields:
        os.environ.pop(name.upper(), None)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(Settings.model_config, "env_file", None)
        return (yield)


@pytest.fixture(autouse=True, scope="session")
def _nothing_beside_the_code(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No test writes into your folders, or finds a `.env` there."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("working"))
        yield


@pytest.fixture
def scenario() -> Scenario:
    """The service in memory, with nothing in it."""
    return Scenario()
