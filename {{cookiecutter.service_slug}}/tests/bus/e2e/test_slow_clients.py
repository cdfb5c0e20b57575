"""Slow and hostile clients of the service as it runs: what they get, and that they harm nobody."""

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from ..support.process import Server, serving, until

PATH = b"/parcels"
GET = b"GET /health HTTP/1.1\r\nHost: service\r\n\r\n"
ALIVE = b'{"status":"alive"}'
LARGE = b"GET /openapi.json HTTP/1.1\r\nHost: service\r\n\r\n"
HEAD = b"POST %s HTTP/1.1\r\nHost: service\r\nContent-Type: application/json\r\n" % PATH
HALF = HEAD + b'Content-Length: 1000\r\n\r\n{"data"'
STUCK = "ProcessParcel"
WHOLE = HEAD + b'Content-Length: 12\r\n\r\n{"data": {}}'


def address_of(server: Server) -> tuple[str, int]:
    url = urlsplit(server.url)
    return url.hostname or "", url.port or 0


def connect(server: Server, sent: bytes) -> socket.socket:
    connection = socket.create_connection(address_of(server), timeout=10)
    connection.sendall(sent)
    return connection


def half_sent(server: Server) -> socket.socket:
    """A connection with a request of which the server has read the head, and waits for the body."""
    connection = connect(server, HEAD + b"Content-Length: 9\r\nExpect: 100-continue\r\n\r\n")
    assert connection.recv(65536) == b"HTTP/1.1 100 Continue\r\n\r\n"
    return connection


def answer_on(connection: socket.socket) -> bytes:
    """What comes until the server closes the connection."""
    with connection:
        return b"".join(iter(lambda: connection.recv(65536), b""))


def is_reset(connection: socket.socket) -> bool | None:
    """A connection that the server has closed is reset when something is sent on it."""
    try:
        connection.send(b"G")
    except OSError:
        return True
    return None


def errors(server: Server) -> list[str]:
    return [line["event"] for line in server.lines() if line["level"] == "error"]


@pytest.fixture(scope="module")
def impatient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    settings = {"REQUEST_SECONDS": "0.5", "KEEP_ALIVE_SECONDS": "1"}
    with serving(tmp_path_factory.mktemp("impatient"), STORE="memory", **settings) as server:
        yield server


def test_a_request_with_two_lengths_is_the_last_of_its_connection(impatient: Server) -> None:
    ambiguous = b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    answer = answer_on(connect(impatient, HEAD + ambiguous + GET))

    assert answer.count(b"HTTP/1.1 ") == 1
    assert b"\r\nconnection: close\r\n" in answer


def test_a_request_that_does_not_arrive_in_time_is_answered_with_408(impatient: Server) -> None:
    head, body, second = [connect(impatient, sent) for sent in (HEAD, HALF, GET)]
    received = b""
    while not received.endswith(ALIVE):
        received += second.recv(65536)
    second.sendall(HEAD)

    for connection in (head, body, second):
        line, *headers, _, problem = answer_on(connection).split(b"\r\n")
        assert line == b"HTTP/1.1 408 Request Timeout"
        assert {b"connection: close", b"content-type: application/problem+json"} < set(headers)
        assert json.loads(problem)["status"] == 408


def test_a_silent_connection_is_closed_without_an_answer(impatient: Server) -> None:
    never_used, idle = connect(impatient, b""), connect(impatient, GET)

    assert answer_on(never_used) == b""
    assert answer_on(idle).endswith(ALIVE)


def test_a_client_that_reads_no_answer_is_cut_off(impatient: Server) -> None:
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)  # soon full
        connection.connect(address_of(impatient))
        connection.sendall(LARGE * 1000)
        until(lambda: is_reset(connection))


@pytest.mark.slow
def test_a_half_sent_request_does_not_hold_a_stop(tmp_path: Path) -> None:
    with serving(tmp_path, STORE="memory", REQUEST_SECONDS="60") as server:
        connection = half_sent(server)
        server.process.terminate()
        assert server.process.wait(10) == 0
        assert answer_on(connection).startswith(b"HTTP/1.1 408 ")


def test_beyond_the_cap_the_one_that_waits_longest_makes_room_and_none_that_is_at_work(
    tmp_path: Path,
) -> None:
    settings = {"STORE": "memory", "MAX_CONNECTIONS": "2", "REQUEST_SECONDS": "5"}
    with (
        serving(tmp_path, STUCK, module="tests.bus.support.stuck", **settings) as server,
        connect(server, WHOLE),
    ):
        server.wait_for("stuck")
        half = half_sent(server)
        with connect(server, WHOLE):
            assert answer_on(half).startswith(b"HTTP/1.1 503 ")
            until(lambda: [line["event"] for line in server.lines()].count("stuck") == 2 or None)
            assert answer_on(connect(server, b"")).startswith(b"HTTP/1.1 503 ")


@pytest.mark.slow
def test_without_descriptors_it_logs_one_line_and_goes_on_when_there_are_some(
    tmp_path: Path,
) -> None:
    settings = {"STORE": "memory", "MAX_CONNECTIONS": "100"}
    with serving(tmp_path, "serve", module="tests.bus.support.exhausted", **settings) as server:
        connections = [connect(server, HALF) for _ in range(20)]
        until(lambda: errors(server) or None)
        for connection in connections:
            connection.close()
        assert httpx.get(f"{server.url}/health").status_code == 200
        assert errors(server) == ["failed"]
