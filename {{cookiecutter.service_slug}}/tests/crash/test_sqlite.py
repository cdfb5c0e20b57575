"""Killed at every call, on a SQLite file."""

from pathlib import Path

from ..support.process import run


def test_killed_anywhere_the_workflow_is_done_once_after_a_restart(tmp_path: Path) -> None:
    crashed = run(tmp_path, str(tmp_path), module="tests.crash.workflow")
    assert crashed.returncode == 0, crashed.stderr
    assert "inline: " in crashed.stdout
    assert "worker: " in crashed.stdout
