"""Killed at every call, on Postgres."""

from pathlib import Path

from ..support.postgres import server, template, url
from ..support.process import run

__all__ = ["server", "template", "url"]


def test_killed_anywhere_the_workflow_is_done_once_after_a_restart(
    tmp_path: Path, url: str
) -> None:
    environment = {"STORE": "postgres", "DATABASE_URL": url}
    crashed = run(tmp_path, str(tmp_path), module="tests.crash.workflow", **environment)
    assert crashed.returncode == 0, crashed.stderr
    assert "worker: " in crashed.stdout
