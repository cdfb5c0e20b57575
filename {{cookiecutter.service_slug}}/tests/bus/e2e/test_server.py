"""The service as it runs: a process with a real server on loopback, on the embedded store."""

import shutil
import signal
import socket
import subprocess
import threading
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from {{ cookiecutter.__package }}.adapters.event_store.sqlite import SqliteEventStore
from {{ cookiecutter.__package }}.entrypoints.api.server import in_daemon_thread, listen

from ...support import process
from ...support.process import SOURCE
from ..support.process import Server, run, running, serving, until

PACKAGE = "{{ cookiecutter.__package }}"
PATH = "/parcels"
ID = "parcel_id"
NAME = "Parcel"
WORKFLOW = [f"{NAME}Created", f"{NAME}Processed", f"{NAME}Archived"]
LIMIT = 256 * 1024


def events_of(server: Server, an_id: str) -> list[str]:
    answer = httpx.get(f"{server.url}{PATH}/{an_id}/history")
    return [event["type"] for event in answer.json().get("events", [])]


def lines_of(server: Server, correlation_id: str) -> list[dict[str, Any]]:
    """The lines of these requests. The last one is logged when the answer was sent."""

    def logged() -> list[dict[str, Any]] | None:
        own = [line for line in server.lines() if line.get("correlation_id") == correlation_id]
        return own if own and own[-1]["event"] == "request" else None

    return until(logged)


def start_request(server: Server, head: bytes, body: bytes) -> socket.socket:
    """Send this much of a POST, and do not wait for an answer."""
    address = urlsplit(server.url)
    assert address.hostname
    assert address.port
    connection = socket.create_connection((address.hostname, address.port), timeout=30)
    common = b"Host: service\r\nContent-Type: application/json\r\n"
    connection.sendall(b"POST %s HTTP/1.1\r\n" % PATH.encode() + common + head + b"\r\n" + body)
    return connection


def whole_answer(connection: socket.socket) -> bytes:
    """What comes until the server closes the connection."""
    with connection:
        return b"".join(iter(lambda: connection.recv(65536), b""))


def test_data_survives_a_stop_and_a_start(tmp_path: Path) -> None:
    with serving(tmp_path) as server, httpx.Client(base_url=server.url) as client:
        created = client.post(PATH, json={ID: "a", "data": {"x": 1}})
        assert (created.status_code, created.json()["version"]) == (201, 1)
        before = client.get(f"{PATH}/a").json()
        history = client.get(f"{PATH}/a/history").json()
        assert [event["type"] for event in history["events"]] == WORKFLOW
        assert client.post(PATH, json={ID: "a", "data": {}}).status_code == 409
        assert client.post(PATH, content=b"{").status_code == 422
        assert client.get(f"{PATH}/unknown").status_code == 404
        assert server.stop() == 0

    with serving(tmp_path) as server, httpx.Client(base_url=server.url) as client:
        assert client.get(f"{PATH}/a").json() == before
        assert client.get(f"{PATH}/a/history").json() == history
        assert server.stop() == 0


def test_the_store_in_memory_serves_too(tmp_path: Path) -> None:
    with serving(tmp_path, STORE="memory") as server:
        assert httpx.post(f"{server.url}{PATH}", json={ID: "a", "data": {}}).status_code == 201
        assert events_of(server, "a") == WORKFLOW
        assert server.stop() == 0
    assert not list(tmp_path.glob("var/*.db"))


@pytest.mark.parametrize("size", [LIMIT + 1, 20_000_000])
@pytest.mark.parametrize("has_length", [True, False], ids=["with a length", "chunked"])
def test_a_client_that_sends_too_much_gets_to_read_why(
    server: Server, size: int, has_length: bool
) -> None:
    body = b"x" * size
    content: Any = body if has_length else iter([body])
    headers = {"Content-Type": "application/json"}

    answer = httpx.post(f"{server.url}{PATH}", content=content, headers=headers)

    assert answer.status_code == 413
    assert answer.headers["content-type"] == "application/problem+json"


def test_the_body_of_an_answer_does_not_wait_until_its_head_is_acknowledged() -> None:
    with listen("127.0.0.1", 0) as listener, socket.create_connection(listener.getsockname()):
        connection, _ = listener.accept()
        with connection:
            assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_an_endless_body_is_answered_and_the_connection_closed(server: Server) -> None:
    chunk = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
    connection = start_request(server, b"Transfer-Encoding: chunked\r\n", chunk * 5)

    assert whole_answer(connection).startswith(b"HTTP/1.1 413 ")


def test_a_length_that_is_too_large_is_refused_before_the_body_comes(server: Server) -> None:
    head = b"Content-Length: 1000000000\r\nExpect: 100-continue\r\n"

    assert whole_answer(start_request(server, head, b"")).startswith(b"HTTP/1.1 413 ")


def test_each_line_of_a_request_carries_its_correlation_id_and_none_its_payload(
    server: Server,
) -> None:
    requests: list[tuple[str, Any, int, list[str]]] = [
        ("created", {ID: "log-1", "data": {"hunter2": "hunter2"}}, 201, ["handled"] * 3),
        ("taken", {ID: "log-1", "data": {"hunter2": 1}}, 409, ["refused"]),
        ("invalid", {ID: "log-2", "data": {}, "hunter2": 1}, 422, []),
        ("too large", {"data": {"hunter2": "x" * LIMIT}}, 413, []),
    ]
    for correlation_id, body, status, _ in requests:
        headers = {"X-Correlation-ID": correlation_id}
        url = f"{server.url}{PATH}?secret=hunter2"
        assert httpx.post(url, json=body, headers=headers).status_code == status
    for correlation_id, _, status, events in requests:
        *before, last = lines_of(server, correlation_id)
        assert [line["event"] for line in before] == events
        too_large = status == 413  # refused before it is routed
        assert last["duration_ms"] > 0
        assert {name: last[name] for name in ("event", "method", "route", "status", "level")} == {
            "event": "request",
            "method": "POST",
            "route": None if too_large else PATH,
            "status": status,
            "level": "info",
        }
    assert "hunter2" not in str(server.lines())


def test_a_request_is_logged_with_the_template_of_its_route_and_a_probe_at_debug_only(
    server: Server,
) -> None:
    def last_line(correlation_id: str, *paths: str) -> dict[str, Any]:
        for path in paths:
            httpx.get(f"{server.url}{path}", headers={"X-Correlation-ID": correlation_id})
        return lines_of(server, correlation_id)[-1]

    known = last_line("known", "/health", "/ready", f"{PATH}/log-9")
    unknown = last_line("unknown", "/log-9")
    assert (known["route"], unknown["route"]) == (PATH + "/{" + ID + "}", None)
    assert "log-9" not in f"{known} {unknown}"
    names = [line["event"] for line in lines_of(server, "known")]
    assert names.count("request") == 1


def test_after_a_broken_edit_requests_get_the_traceback_and_a_good_one_is_served(
    tmp_path: Path,
) -> None:
    shutil.copytree(SOURCE / PACKAGE, tmp_path / PACKAGE)
    edited = tmp_path / PACKAGE / "config.py"
    good = edited.read_text()
    module, path = f"{PACKAGE}.entrypoints.cli", str(tmp_path)
    with process.serving(
        tmp_path, "serve", "--reload", module=module, PYTHONPATH=path
    ) as reloading:

        def answer(status: int) -> httpx.Response | None:
            with suppress(httpx.TransportError):  # the process that took it has ended
                found = httpx.get(f"{reloading.url}/health")
                return found if found.status_code == status else None
            return None

        try:
            until(lambda: answer(200))
            edited.write_text(f"{good}def broken(:\n")
            shown = until(lambda: answer(500))
            assert shown.headers["content-type"].startswith("text/plain")
            assert "SyntaxError" in shown.text
            assert "def broken(:" in shown.text
            time.sleep(1)  # what uvicorn sees at its first look after a start is not new to it
            edited.write_text(good)
            until(lambda: answer(200))
        finally:
            assert reloading.stop() == 0  # and the process that serves ends with it


def test_a_request_in_flight_is_answered_before_the_server_stops(tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        body = b'{"%s": "a", "data": {}}' % ID.encode()
        head = b"Content-Length: %d\r\n" % len(body)
        connection = start_request(server, head, body[:5])
        # Requests are taken in turn: when this one is answered, the one before it is in flight.
        assert httpx.get(f"{server.url}/health").status_code == 200
        server.process.terminate()
        server.wait_for("Waiting for connections to close. (CTRL+C to force quit)")
        connection.sendall(body[5:])

        assert whole_answer(connection).startswith(b"HTTP/1.1 201 ")
        assert server.process.wait(30) == 0


def test_it_is_not_ready_for_a_while_before_it_stops(tmp_path: Path) -> None:
    with serving(tmp_path, DRAIN_SECONDS="4") as server:
        assert httpx.get(f"{server.url}/ready").status_code == 200
        server.process.terminate()
        until(lambda: httpx.get(f"{server.url}/ready").status_code == 503 or None)
        with pytest.raises(subprocess.TimeoutExpired):
            server.process.wait(1)  # without draining, it would look for connections no more by now
        assert httpx.post(f"{server.url}{PATH}", json={ID: "a", "data": {}}).status_code == 201
        assert server.process.wait(30) == 0


@pytest.mark.slow
def test_asked_twice_it_stops_at_once(tmp_path: Path) -> None:
    with serving(tmp_path, DRAIN_SECONDS="60") as server:
        server.process.terminate()
        until(lambda: httpx.get(f"{server.url}/ready").status_code == 503 or None)
        assert server.stop() == 0


def test_a_signal_does_not_wait_until_the_server_ends() -> None:
    """One that does not end the main thread's wait. That happens by chance if it arrives just
    before, and always if another thread receives it."""
    handled = threading.Event()
    before = signal.signal(signal.SIGUSR1, lambda *_: handled.set())

    def serve() -> None:
        time.sleep(0.1)  # until the main thread waits
        signal.pthread_kill(threading.get_ident(), signal.SIGUSR1)
        assert handled.wait(10)

    try:
        in_daemon_thread(serve)
    finally:
        signal.signal(signal.SIGUSR1, before)


@pytest.mark.slow
@pytest.mark.parametrize("where", [f"Process{NAME}", f"Archive{NAME}", "put"])
def test_killed_in_the_middle_of_a_workflow_it_is_completed_once_after_a_restart(
    tmp_path: Path, where: str
) -> None:
    with serving(tmp_path, where, module="tests.bus.support.stuck") as server:
        body = b'{"%s": "a", "data": {}}' % ID.encode()
        connection = start_request(server, b"Content-Length: %d\r\n" % len(body), body)
        server.wait_for("stuck")
        connection.close()
        done = events_of(server, "a")
        assert done == WORKFLOW[: 1 if where == f"Process{NAME}" else 2]
        server.kill()

    with serving(tmp_path) as server:
        until(lambda: len(events_of(server, "a")) >= 3 or None)
        assert server.stop() == 0  # whatever the worker had under way, it has finished

    with serving(tmp_path, WORKER="external") as server:
        assert events_of(server, "a") == WORKFLOW
    store = SqliteEventStore(next(tmp_path.glob("var/*.db")))
    assert store.due(datetime.now(UTC) + timedelta(days=1)) == []
    store.close()
    assert len([path for path in tmp_path.glob("var/files/**/*") if path.is_file()]) == 1


@pytest.mark.slow
def test_a_worker_of_its_own_completes_what_a_server_left_behind(tmp_path: Path) -> None:
    with serving(tmp_path, "put", module="tests.bus.support.stuck") as server:
        body = b'{"%s": "a", "data": {}}' % ID.encode()
        with start_request(server, b"Content-Length: %d\r\n" % len(body), body):
            server.wait_for("stuck")
            server.kill()

    with running(tmp_path, "worker") as worker:
        worker.wait_for("handled")
        assert worker.stop() == 0
    with serving(tmp_path, WORKER="external") as server:
        assert events_of(server, "a") == WORKFLOW


@pytest.mark.slow
def test_dispatch_may_leave_what_follows_to_a_worker_of_its_own(tmp_path: Path) -> None:
    settings = {"DISPATCH": "worker", "WORKER": "external"}
    with serving(tmp_path, **settings) as server:
        assert httpx.post(f"{server.url}{PATH}", json={ID: "a", "data": {}}).status_code == 201
        assert events_of(server, "a") == WORKFLOW[:1]
        with running(tmp_path, "worker", **settings) as worker:
            until(lambda: len(events_of(server, "a")) >= 3 or None)
            assert worker.stop() == 0
        assert events_of(server, "a") == WORKFLOW
        assert server.stop() == 0


def test_a_worker_that_cannot_touch_its_file_does_not_start(tmp_path: Path) -> None:
    ended = run(tmp_path, "worker", ALIVE_FILE=str(tmp_path / "no folder/alive"))
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "ALIVE_FILE cannot be written" in ended.stderr
    assert len(ended.stderr.splitlines()) == 1


def test_a_worker_of_its_own_is_refused_a_store_in_memory(tmp_path: Path) -> None:
    ended = run(tmp_path, "worker", STORE="memory")
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "STORE=memory is of one process" in ended.stderr
    assert len(ended.stderr.splitlines()) == 1


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """One that several tests may ask."""
    with serving(tmp_path_factory.mktemp("server")) as server:
        yield server
