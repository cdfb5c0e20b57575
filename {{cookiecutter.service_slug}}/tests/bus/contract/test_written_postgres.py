"""What any released bus has written to Postgres, this one loads: every row, in its old schema."""

import json
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from alembic import command
from alembic.config import Config
from pydantic import SecretStr

from {{ cookiecutter.__package }}.adapters.event_store import (
    postgres,
)
from {{ cookiecutter.__package }}.adapters.event_store.memory import MemoryEventStore
from {{ cookiecutter.__package }}.adapters.event_store.postgres import (
    PostgresEventStore,
)
from {{ cookiecutter.__package }}.adapters.event_store.postgres.database import (
    REVISION,
)
from {{ cookiecutter.__package }}.config import Settings
from {{ cookiecutter.__package }}.entrypoints.cli import transfer

from ..support import written
from ..support.postgres import database, migrated, postgres_server, server, template, url

__all__ = ["server", "template", "url"]

NAME = "postgres.json"
TABLES = ["streams", "commits", "pending", "snapshots", "idempotency", "view_rows", "cells"]
older = pytest.mark.parametrize("folder", written.FOLDERS, ids=lambda each: each.name)


@pytest.fixture
def store(url: str) -> Iterator[PostgresEventStore]:
    store = PostgresEventStore(url, wait=30)
    yield store
    store.close()


@older
def test_its_rows_are_loaded_after_the_migrations(folder: Path, server: str) -> None:
    with database(server) as url:
        restore(url, json.loads((folder / NAME).read_text("utf-8")))
        postgres.create(Settings(database_url=SecretStr(url)))
        store = PostgresEventStore(url, wait=30)
        memory = MemoryEventStore()
        transfer.take_in(memory, folder / "export.jsonl")
        assert list(store.dump()) == list(memory.dump())
        written.assert_caches_as_they_were(store)
        written.assert_as_it_was(store)
        store.close()


@older
def test_an_export_is_taken_in(folder: Path, store: PostgresEventStore) -> None:
    transfer.take_in(store, folder / "export.jsonl")
    written.assert_as_it_was(store)


def test_what_is_written_now_is_the_newest_of_them(store: PostgresEventStore, url: str) -> None:
    written.play(store)
    written.assert_kept(NAME, rows(url), __name__)


def rows(url: str) -> str:
    """All rows, by table, a row a line, and the revision of the schema they stand in."""
    lines = [f'"revision": {json.dumps(REVISION)}']
    with psycopg.connect(url, options="-c timezone=UTC") as connection:
        for name in TABLES:
            statement = f"SELECT to_json(each) FROM {name} AS each ORDER BY each"
            found = [row for (row,) in connection.execute(statement.encode())]
            texts = [json.dumps(row, ensure_ascii=False) for row in found]
            lines.append(f'"{name}": [\n' + ",\n".join(texts) + "\n]")
    return "{\n" + ",\n".join(lines) + "\n}\n"


def restore(url: str, kept: dict[str, list[dict[str, object]]]) -> None:
    """A database with these rows, in the schema of their revision."""
    config = Config()
    config.set_main_option("script_location", str(postgres.MIGRATIONS))
    config.attributes["connect"] = lambda: psycopg.connect(url)
    command.upgrade(config, str(kept.pop("revision")))
    with psycopg.connect(url) as connection:
        for name, found in kept.items():
            insert = (
                f"INSERT INTO {name} OVERRIDING SYSTEM VALUE"
                f" SELECT * FROM json_populate_record(NULL::{name}, %s)"
            )
            for row in found:
                connection.execute(insert.encode(), (json.dumps(row),))
        connection.execute(
            "SELECT setval(pg_get_serial_sequence('commits', 'position'), max(position))"
            " FROM commits"
        )


def main() -> None:
    with postgres_server() as server, migrated(server) as name, database(server, name) as url:
        store = PostgresEventStore(url, wait=30)
        written.play(store)
        store.close()
        written.keep(NAME, rows(url))


if __name__ == "__main__":
    main()
