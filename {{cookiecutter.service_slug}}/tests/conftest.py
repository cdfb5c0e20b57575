"""Fixtures that any test may ask for."""

import pytest

from .support.harness import Scenario


@pytest.fixture
def scenario() -> Scenario:
    """The service in memory, with nothing in it."""
    return Scenario()
