"""Killed at every call, and again and again under load, on a SQLite file."""

from pathlib import Path

import pytest

from ..support.process import run
from .load import killed_under_load


def test_killed_anywhere_the_workflow_is_done_once_after_a_restart(tmp_path: Path) -> None:
    crashed = run(tmp_path, str(tmp_path), module="tests.crash.workflow")
    assert crashed.returncode == 0, crashed.stderr
    assert "inline: " in crashed.stdout
    assert "worker: " in crashed.stdout


@pytest.mark.slow
def test_what_was_accepted_under_load_is_archived_with_exactly_three_events(
    tmp_path: Path,
) -> None:
    killed_under_load(tmp_path)
