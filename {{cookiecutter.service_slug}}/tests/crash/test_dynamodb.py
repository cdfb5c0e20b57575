"""Killed at every call, on DynamoDB."""

from pathlib import Path

import pytest

from ..support.moto_server import REGION, moto_server
from ..support.process import run


@pytest.mark.slow
def test_killed_anywhere_the_workflow_is_done_once_after_a_restart(tmp_path: Path) -> None:
    with moto_server() as url:
        environment = {
            "STORE": "dynamodb",
            "AWS_ENDPOINT_URL": url,
            "AWS_REGION": REGION,
            "AWS_ACCESS_KEY_ID": "local",
            "AWS_SECRET_ACCESS_KEY": "local",
        }
        assert run(tmp_path, "create-store", **environment).returncode == 0
        crashed = run(tmp_path, str(tmp_path), module="tests.crash.workflow", **environment)
    assert crashed.returncode == 0, crashed.stderr
    assert "worker: " in crashed.stdout
