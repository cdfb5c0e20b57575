"""Fixtures that any test may ask for."""

import pytest
from hypothesis import HealthCheck, settings

from .support.harness import Scenario

# How fast a machine is just now is nobody's bug.
settings.register_profile("any", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any")


@pytest.fixture
def scenario() -> Scenario:
    """The service in memory, with nothing in it."""
    return Scenario()
