"""What the open lists name is there."""

import pytest

from {{ cookiecutter.__package }}.bootstrap import RUNNERS
from {{ cookiecutter.__package }}.entrypoints import worker


@pytest.mark.parametrize("name", RUNNERS)
def test_every_runner_is_there(name: str) -> None:
    assert name.partition(":")[2] in [runner.__name__ for runner in worker.runners()]
