"""What any released bus has written, this one loads: an export, and a SQLite file."""

import sqlite3
from pathlib import Path

import pytest

from {{ cookiecutter.__package }}.adapters.event_store.memory import MemoryEventStore
from {{ cookiecutter.__package }}.adapters.event_store.sqlite import SqliteEventStore
from {{ cookiecutter.__package }}.entrypoints.cli import transfer

from ..support import written

older = pytest.mark.parametrize("folder", written.FOLDERS, ids=lambda each: each.name)


@older
def test_an_export_is_taken_in(folder: Path) -> None:
    store = MemoryEventStore()
    transfer.take_in(store, folder / "export.jsonl")
    lines = (folder / "export.jsonl").read_text("utf-8").splitlines()
    assert len(list(store.dump())) == len(lines) - 2
    written.assert_as_it_was(store)


@older
def test_a_sqlite_file_is_opened(folder: Path, tmp_path: Path) -> None:
    store = opened(folder, tmp_path / "events.db")
    written.assert_caches_as_they_were(store)
    written.assert_as_it_was(store)
    store.close()


@older
def test_a_sqlite_file_once_opened_is_laid_out_like_a_new_one(folder: Path, tmp_path: Path) -> None:
    for store in (opened(folder, tmp_path / "old.db"), SqliteEventStore(tmp_path / "new.db")):
        store.close()
    assert layout(tmp_path / "old.db") == layout(tmp_path / "new.db")


@older
def test_a_sqlite_file_and_an_export_hold_the_same(folder: Path, tmp_path: Path) -> None:
    memory, store = MemoryEventStore(), opened(folder, tmp_path / "events.db")
    transfer.take_in(memory, folder / "export.jsonl")
    assert list(store.dump()) == list(memory.dump())
    store.close()


def test_what_is_written_now_is_the_newest_of_them(tmp_path: Path) -> None:
    store = MemoryEventStore()
    written.play(store)
    written.assert_kept("export.jsonl", written.export_of(store), written.__name__)
    written.sqlite_file(tmp_path / "events.db")
    written.assert_kept("sqlite.sql", written.sql_of(tmp_path / "events.db"), written.__name__)


def opened(folder: Path, path: Path) -> SqliteEventStore:
    """A file as it was written then, opened by the store of now."""
    with sqlite3.connect(path) as connection:
        connection.executescript((folder / "sqlite.sql").read_text("utf-8"))
    connection.close()
    return SqliteEventStore(path)


def layout(path: Path) -> dict[str, list[tuple[object, ...]]]:
    """The columns of every table and index, and the number of the schema."""
    with sqlite3.connect(path) as connection:
        found = {"version": connection.execute("PRAGMA user_version").fetchall()}
        names = connection.execute("SELECT type, name FROM sqlite_master").fetchall()
        for kind, name in names:
            found[name] = connection.execute(f"PRAGMA {kind}_info({name})").fetchall()
    connection.close()
    return found
