"""Killed at every call, and again and again under load, on Postgres."""

from pathlib import Path

import pytest

from ..support.postgres import server, template, url
from ..support.process import run
from .load import killed_under_load

__all__ = ["server", "template", "url"]


@pytest.mark.slow
def test_killed_anywhere_the_workflow_is_done_once_after_a_restart(
    tmp_path: Path, url: str
) -> None:
    environment = {"STORE": "postgres", "DATABASE_URL": url}
    crashed = run(tmp_path, str(tmp_path), module="tests.bus.crash.workflow", **environment)
    assert crashed.returncode == 0, crashed.stderr
    assert "worker: " in crashed.stdout


def test_killed_anywhere_what_is_refused_is_parked_once(tmp_path: Path, url: str) -> None:
    environment = {"STORE": "postgres", "DATABASE_URL": url, "LOG_LEVEL": "error"}
    crashed = run(tmp_path, module="tests.bus.crash.parking", **environment)
    assert crashed.returncode == 0, crashed.stderr
    assert "parking: " in crashed.stdout


@pytest.mark.slow
def test_what_was_accepted_under_load_is_archived_with_exactly_three_events(
    tmp_path: Path, url: str
) -> None:
    killed_under_load(tmp_path, STORE="postgres", DATABASE_URL=url)
