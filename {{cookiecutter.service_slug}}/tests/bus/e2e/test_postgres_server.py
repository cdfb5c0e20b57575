"""The service as it runs on a real Postgres."""

import json
from pathlib import Path

import httpx
import psycopg
import pytest

from {{ cookiecutter.__package }}.adapters.event_store.postgres import (
    PostgresEventStore,
)
from {{ cookiecutter.__package }}.bootstrap import make_bus
from {{ cookiecutter.__package }}.bus import MessageBus
from {{ cookiecutter.__package }}.config import Settings

from ..parcel import commands
from ..parcel.files import FileStore, MemoryFileStore
from ..support.postgres import copy, database, postgres_server, server, template, url
from ..support.process import run, serving, until
from .test_server import ID, NAME, PATH, WORKFLOW, events_of, start_request

__all__ = ["server", "template", "url"]

MODEL = "parcels"


def bus_on(url: str) -> MessageBus:
    return make_bus(
        Settings(store="memory"),
        store=PostgresEventStore(url),
        dependencies={FileStore: MemoryFileStore()},
    )


def create(bus: MessageBus, *new_ids: str) -> None:
    for new_id in new_ids:
        bus.handle(commands.CreateParcel(parcel_id=new_id, data={}))


def listed(bus: MessageBus) -> set[str]:
    """The keys of the rows, once the read model has followed the feed to its end."""
    while bus.subscriptions[MODEL].advance():
        pass
    projector = bus.projectors[MODEL]
    return {row.key for _, row in projector.find(projector.projection.labels, 100, None)}


def test_a_dump_restored_in_another_cluster_goes_on_whole(tmp_path: Path, url: str) -> None:
    """The other cluster has counted fewer transactions."""
    bus = bus_on(url)
    create(bus, "a", "b")
    with psycopg.connect(url, autocommit=True) as connection:
        for _ in range(300):
            connection.execute("SELECT pg_current_xact_id()")
    create(bus, "c")
    assert listed(bus) == {"a", "b", "c"}
    with postgres_server() as elsewhere, database(elsewhere) as target:
        copy(url, target, tmp_path / "store.dump")
        restored = bus_on(target)
        create(restored, "d", "e")
        assert listed(restored) == {"a", "b", "c", "d", "e"}
        assert not restored.subscriptions[MODEL].lag()
        restored.projectors[MODEL].rebuild()
        assert listed(restored) == {"a", "b", "c", "d", "e"}
        restored.store.close()
    bus.store.close()


def test_status_counts_what_is_held_back_and_names_who_does_it_and_a_rebuild_loses_nothing(
    tmp_path: Path, url: str
) -> None:
    bus = bus_on(url)
    create(bus, "a")
    assert listed(bus) == {"a"}
    with psycopg.connect(url) as holder:
        holder.execute("DELETE FROM commits WHERE false")
        create(bus, "b")
        assert listed(bus) == {"a"}
        shown = run(tmp_path, "status", STORE="postgres", DATABASE_URL=url).stdout
        assert f"read model {MODEL}: 3 commits behind, the oldest for " in shown
        assert f"feed: held back by pid {holder.info.backend_pid}, open for " in shown
        elsewhere = bus_on(url)
        elsewhere.projectors[MODEL].rebuild()
        elsewhere.store.close()
        assert listed(bus) == {"a", "b"}
    bus.store.close()


@pytest.mark.slow
@pytest.mark.parametrize("where", [f"Process{NAME}", f"Archive{NAME}", "put"])
def test_killed_in_the_middle_of_a_workflow_it_is_completed_once_after_a_restart(
    tmp_path: Path, url: str, where: str
) -> None:
    environment = {"STORE": "postgres", "DATABASE_URL": url}
    with serving(tmp_path, where, module="tests.bus.support.stuck", **environment) as service:
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


@pytest.mark.slow
def test_what_was_open_on_a_laptop_is_finished_here(tmp_path: Path, url: str) -> None:
    """Export from a SQLite file in the middle of work, then import: a worker runs what was open."""
    with serving(tmp_path, f"Process{NAME}", module="tests.bus.support.stuck") as service:
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
