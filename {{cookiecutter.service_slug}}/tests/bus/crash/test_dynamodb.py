"""Killed at every call, and again and again under load, on DynamoDB."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ...support.moto_server import REGION, moto_server
from ..support.process import run
from .load import killed_under_load

pytestmark = pytest.mark.slow


@pytest.fixture
def environment(tmp_path: Path) -> Iterator[dict[str, str]]:
    """A table of its own."""
    with moto_server() as url:
        environment = {
            "STORE": "dynamodb",
            "AWS_ENDPOINT_URL": url,
            "AWS_REGION": REGION,
            "AWS_ACCESS_KEY_ID": "local",
            "AWS_SECRET_ACCESS_KEY": "local",
        }
        assert run(tmp_path, "create-store", **environment).returncode == 0
        yield environment


def test_killed_anywhere_the_workflow_is_done_once_after_a_restart(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    crashed = run(tmp_path, str(tmp_path), module="tests.bus.crash.workflow", **environment)
    assert crashed.returncode == 0, crashed.stderr
    assert "worker: " in crashed.stdout


def test_killed_anywhere_what_is_refused_is_parked_once(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    crashed = run(tmp_path, module="tests.bus.crash.parking", **environment, LOG_LEVEL="error")
    assert crashed.returncode == 0, crashed.stderr
    assert "parking: " in crashed.stdout


def test_what_was_accepted_under_load_is_archived_with_exactly_three_events(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    killed_under_load(tmp_path, **environment)
