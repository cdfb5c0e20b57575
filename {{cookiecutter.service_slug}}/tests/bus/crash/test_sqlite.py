"""Killed at every call, and again and again under load, on a SQLite file."""

from pathlib import Path

import pytest

from ..support.process import run
from .load import killed_under_load


@pytest.mark.slow
def test_killed_anywhere_the_workflow_is_done_once_after_a_restart(tmp_path: Path) -> None:
    crashed = run(tmp_path, str(tmp_path), module="tests.bus.crash.workflow")
    assert crashed.returncode == 0, crashed.stderr
    assert "inline: " in crashed.stdout
    assert "worker: " in crashed.stdout


def test_killed_anywhere_what_is_refused_is_parked_once(tmp_path: Path) -> None:
    crashed = run(tmp_path, module="tests.bus.crash.parking", SQLITE_PATH="a.db", LOG_LEVEL="error")
    assert crashed.returncode == 0, crashed.stderr
    assert "parking: " in crashed.stdout


@pytest.mark.slow
def test_an_import_killed_anywhere_goes_on_to_the_end(tmp_path: Path) -> None:
    crashed = run(tmp_path, str(tmp_path), module="tests.bus.crash.importing")
    assert crashed.returncode == 0, crashed.stderr
    assert "importing: " in crashed.stdout


@pytest.mark.slow
def test_what_was_accepted_under_load_is_archived_with_exactly_three_events(
    tmp_path: Path,
) -> None:
    killed_under_load(tmp_path)
