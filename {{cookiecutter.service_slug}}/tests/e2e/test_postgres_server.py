"""The service as it runs on a real Postgres."""

import json
from pathlib import Path

import httpx
import pytest

from ..support.postgres import database, server, template, url
from ..support.process import run, serving, until
from .test_server import ID, NAME, PATH, WORKFLOW, events_of, start_request

__all__ = ["server", "template", "url"]


@pytest.mark.parametrize("where", [f"Process{NAME}", f"Archive{NAME}", "put"])
def test_killed_in_the_middle_of_a_workflow_it_is_completed_once_after_a_restart(
    tmp_path: Path, url: str, where: str
) -> None:
    environment = {"STORE": "postgres", "DATABASE_URL": url}
    with serving(tmp_path, where, module="tests.support.stuck", **environment) as service:
        body = b'{"%s": "a", "data": {}}' % ID.encode()
        with start_request(service, b"Content-Length: %d\r\n" % len(body), body):
            service.wait_for("stuck")
        assert events_of(service, "a") == WORKFLOW[: 1 if where == f"Process{NAME}" else 2]
        service.kill()

    with serving(tmp_path, **environment) as service:
        until(lambda: len(events_of(service, "a")) >= 3 or None)
        assert service.stop() == 0

    with serving(tmp_path, **environment) as service:
        assert events_of(service, "a") == WORKFLOW
    assert not list(tmp_path.glob("var/*.db"))


def test_it_starts_on_the_schema_it_needs_and_on_no_other(tmp_path: Path, server: str) -> None:
    with database(server) as empty:
        environment = {"STORE": "postgres", "DATABASE_URL": empty}
        refused = run(tmp_path, "serve", **environment)
        assert (refused.returncode, refused.stderr.count("\n")) == (2, 1)
        assert "run `{{ cookiecutter.service_slug }} create-store`" in refused.stderr
        for _ in "ab":
            assert run(tmp_path, "create-store", **environment).returncode == 0
        with serving(tmp_path, **environment) as service:
            assert httpx.get(f"{service.url}/ready").status_code == 200


def test_without_its_server_it_is_alive_and_not_ready(tmp_path: Path) -> None:
    environment = {"STORE": "postgres", "DATABASE_URL": "postgresql://a:hunter2@127.0.0.1:1/a"}
    with serving(tmp_path, **environment) as service:
        assert httpx.get(f"{service.url}/health").status_code == 200
        answers = [
            httpx.get(f"{service.url}/ready", timeout=30),
            httpx.post(f"{service.url}{PATH}", json={"data": {}}, timeout=30),
        ]
        assert [answer.status_code for answer in answers] == [503, 503]
        logged = (tmp_path / "serve.log").read_text()
        assert "hunter2" not in logged
        assert "Connection refused" in logged
        assert service.stop() == 0
    ended = run(tmp_path, "create-store", **environment)
    assert (ended.returncode, ended.stderr.count("\n")) == (1, 1)
    assert "Connection refused" in ended.stderr
    assert "hunter2" not in ended.stderr


def test_what_was_open_on_a_laptop_is_finished_here(tmp_path: Path, url: str) -> None:
    """Export from a SQLite file in the middle of work, then import: a worker runs what was open."""
    with serving(tmp_path, f"Process{NAME}", module="tests.support.stuck") as service:
        body = b'{"%s": "a", "data": {}}' % ID.encode()
        with start_request(service, b"Content-Length: %d\r\n" % len(body), body):
            service.wait_for("stuck")
        assert run(tmp_path, "export", "log.jsonl").returncode == 0
    environment = {"STORE": "postgres", "DATABASE_URL": url}
    assert run(tmp_path, "import", "log.jsonl", **environment).returncode == 0
    assert "1 open" in run(tmp_path, "status", **environment).stdout
    with serving(tmp_path, **environment) as service:
        until(lambda: len(events_of(service, "a")) >= 3 or None)
        assert events_of(service, "a") == WORKFLOW
        assert service.stop() == 0
    laptop, here = (
        run(tmp_path, "history", "a", "--json", **each).stdout for each in ({}, environment)
    )
    assert json.loads(here)["events"][:1] == json.loads(laptop)["events"]
