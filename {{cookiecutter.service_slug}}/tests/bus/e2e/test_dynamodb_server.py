"""The service as it runs on DynamoDB, which moto's server plays on loopback."""

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from ...support.moto_server import REGION, moto_server
from ..support.process import run, serving, until
from .test_server import ID, NAME, PATH, WORKFLOW, events_of, start_request

pytestmark = pytest.mark.slow


@pytest.fixture
def environment() -> Iterator[dict[str, str]]:
    with moto_server() as url:
        yield {
            "STORE": "dynamodb",
            "AWS_ENDPOINT_URL": url,
            "AWS_REGION": REGION,
            "AWS_ACCESS_KEY_ID": "local",
            "AWS_SECRET_ACCESS_KEY": "local",
        }


@pytest.mark.parametrize("where", [f"Process{NAME}", f"Archive{NAME}", "put"])
def test_killed_in_the_middle_of_a_workflow_it_is_completed_once_after_a_restart(
    tmp_path: Path, environment: dict[str, str], where: str
) -> None:
    assert run(tmp_path, "create-store", **environment).returncode == 0
    with serving(tmp_path, where, module="tests.bus.support.stuck", **environment) as server:
        body = b'{"%s": "a", "data": {}}' % ID.encode()
        with start_request(server, b"Content-Length: %d\r\n" % len(body), body):
            server.wait_for("stuck")
        assert events_of(server, "a") == WORKFLOW[: 1 if where == f"Process{NAME}" else 2]
        server.kill()

    with serving(tmp_path, **environment) as server:
        until(lambda: len(events_of(server, "a")) >= 3 or None)
        assert server.stop() == 0

    with serving(tmp_path, **environment) as server:
        assert events_of(server, "a") == WORKFLOW
    assert not list(tmp_path.glob("var/*.db"))


def test_without_its_table_it_is_alive_and_not_ready(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    with serving(tmp_path, **environment) as server:
        assert httpx.get(f"{server.url}/health").status_code == 200
        answers = [
            httpx.get(f"{server.url}/ready"),
            httpx.get(f"{server.url}{PATH}/a"),
            httpx.post(f"{server.url}{PATH}", json={"data": {}}),
        ]
        assert [answer.status_code for answer in answers] == [503, 503, 503]
        assert {answer.headers["retry-after"] for answer in answers} == {"1"}
        assert run(tmp_path, "create-store", **environment).returncode == 0
        assert httpx.get(f"{server.url}/ready").status_code == 200
        assert server.stop() == 0


def test_what_was_open_on_a_laptop_is_finished_here(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    """Export from a SQLite file in the middle of work, then import: a worker runs what was open."""
    with serving(tmp_path, f"Process{NAME}", module="tests.bus.support.stuck") as service:
        body = b'{"%s": "a", "data": {}}' % ID.encode()
        with start_request(service, b"Content-Length: %d\r\n" % len(body), body):
            service.wait_for("stuck")
        assert run(tmp_path, "export", "log.jsonl").returncode == 0
    assert run(tmp_path, "create-store", **environment).returncode == 0
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
