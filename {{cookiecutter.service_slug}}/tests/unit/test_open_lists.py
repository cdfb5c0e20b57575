"""What the open lists name is there."""

import pytest

from {{ cookiecutter.__package }}.bootstrap import RUNNERS, SERVICES
from {{ cookiecutter.__package }}.entrypoints import intake, worker


@pytest.mark.parametrize("name", RUNNERS)
def test_every_runner_is_there(name: str) -> None:
    assert name.partition(":")[2] in [runner.__name__ for runner in worker.runners()]


def test_outsiders_may_send_what_is_public_and_nothing_else() -> None:
    public = {command.message_name for service in SERVICES for command in service.PUBLIC}
    assert intake.PUBLIC.keys() == public
