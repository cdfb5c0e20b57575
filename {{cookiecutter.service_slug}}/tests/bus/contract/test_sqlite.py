"""The contract suite on a SQLite file, and what only a file can show."""

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from {{ cookiecutter.__package }}.adapters.event_store import sqlite
from {{ cookiecutter.__package }}.adapters.event_store.sqlite import SqliteEventStore
from {{ cookiecutter.__package }}.adapters.event_store.sqlite.database import WAL_BYTES
from {{ cookiecutter.__package }}.bus import (
    ConfigurationError,
    EventStore,
    Position,
    StoreUnavailable,
)

from ..support import counter
from ..support.commits import append, commit, events
from .event_store_contract import EventStoreContract

ADD_FROM_ANOTHER_PROCESS = """
import sys
from pathlib import Path
from {{ cookiecutter.__package }}.adapters.event_store.sqlite import SqliteEventStore
from tests.bus.support import counter

bus = counter.make_bus(SqliteEventStore(Path(sys.argv[1]), timeout=30))
for _ in range(20):
    bus.handle(counter.Add(counter_id="c"))
"""


class TestSqliteEventStore(EventStoreContract):
    @pytest.fixture
    def store(self, tmp_path: Path) -> Iterator[EventStore]:
        store = SqliteEventStore(tmp_path / "events.db", timeout=30)
        yield store
        store.close()


def test_data_survives_closing_and_opening_again(tmp_path: Path) -> None:
    for expected in (1, 2, 3):
        store = SqliteEventStore(tmp_path / "new" / "folder" / "events.db")
        bus = counter.make_bus(store)
        if expected == 1:
            bus.handle(counter.Open(counter_id="c"))
        bus.handle(counter.Add(counter_id="c"))
        assert bus.ask(counter.GetTotal(counter_id="c")) == expected
        store.close()


def test_a_load_is_of_one_moment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The end and the events of a load agree: an append after that end overlooks no commit."""
    store, other = (SqliteEventStore(tmp_path / "events.db") for _ in "ab")
    store.append(commit(append(Position.start("s/1"), "seen")))
    head = sqlite.store._head

    def overtaken(*arguments: Any) -> int:
        monkeypatch.undo()
        other.append(commit(append(Position("s/1", 1), "not seen")))
        return head(*arguments)

    monkeypatch.setattr(sqlite.store, "_head", overtaken)
    loaded = store.load("s/1")

    assert (loaded.position, loaded.events) == (Position("s/1", 1), [events("seen")])
    assert store.load("s/1").position == Position("s/1", 2)
    store.close()
    other.close()


def test_processes_on_one_file_lose_no_update(tmp_path: Path) -> None:
    store = SqliteEventStore(tmp_path / "events.db", timeout=30)
    bus = counter.make_bus(store)
    bus.handle(counter.Open(counter_id="c"))
    root = Path(__file__).parents[3]
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", ADD_FROM_ANOTHER_PROCESS, str(tmp_path / "events.db")],
            cwd=root,
            env={"PYTHONPATH": f"{root / 'src'}:{root}"},
        )
        for _ in range(3)
    ]
    assert [process.wait(60) for process in processes] == [0, 0, 0]
    assert bus.ask(counter.GetTotal(counter_id="c")) == 60
    store.close()


def test_a_locked_file_is_unavailable_after_a_bounded_wait(tmp_path: Path) -> None:
    store, other = (SqliteEventStore(tmp_path / "events.db", timeout=0.05) for _ in "ab")
    bus = counter.make_bus(other)
    with store._database.writing(), pytest.raises(StoreUnavailable, match=r"events\.db: .* locked"):
        bus.handle(counter.Open(counter_id="c"))
    bus.handle(counter.Open(counter_id="c"))
    store.close()
    other.close()


@pytest.mark.parametrize("replaced", [False, True])
def test_a_file_that_was_deleted_or_replaced_is_noticed_and_takes_no_commit(
    tmp_path: Path, replaced: bool
) -> None:
    path = tmp_path / "events.db"
    store = SqliteEventStore(path)
    bus = counter.make_bus(store)
    path.unlink()
    if replaced:
        path.write_bytes(b"")
    for call in (store.ping, lambda: bus.handle(counter.Open(counter_id="c"))):
        with pytest.raises(StoreUnavailable, match=r"events\.db was deleted or replaced: put back"):
            call()
    store.close()
    with pytest.raises(StoreUnavailable):  # a new connection makes no file of its own
        store.size()
    assert path.exists() == replaced


def test_a_damaged_file_is_unavailable_and_not_ready_from_then_on(tmp_path: Path) -> None:
    path = tmp_path / "events.db"
    store = SqliteEventStore(path)
    for number in range(200):
        store.append(commit(append(Position.start(f"s/{number}"), "x" * 500)))
    store.close()
    with path.open("r+b") as file:
        file.seek(path.stat().st_size // 2)
        file.write(b"\xff" * 40_000)
    damaged = r"events\.db: database disk image is malformed: put back a backup"
    for call in (lambda: list(store.dump()), store.ping):
        with pytest.raises(StoreUnavailable, match=damaged):
            call()
    store.close()


def test_the_log_that_a_long_read_let_grow_shrinks_again(tmp_path: Path) -> None:
    path = tmp_path / "events.db"
    store, reader = SqliteEventStore(path), sqlite3.connect(path, isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT * FROM commits").fetchall()
    for number in range(30):
        store.append(commit(append(Position.start(f"s/{number}"), "x" * 300_000)))
    grown = (tmp_path / "events.db-wal").stat().st_size
    reader.close()
    for number in range(30, 33):
        store.append(commit(append(Position.start(f"s/{number}"), "x" * 300_000)))
    assert (tmp_path / "events.db-wal").stat().st_size <= WAL_BYTES < grown
    store.close()


def test_its_files_are_its_owners_alone(tmp_path: Path) -> None:
    store = SqliteEventStore(tmp_path / "events.db")
    store.append(commit(append(Position.start("s/1"))))
    modes = {each.name: each.stat().st_mode & 0o777 for each in tmp_path.iterdir()}
    assert modes == {f"events.db{end}": 0o600 for end in ("", "-wal", "-shm")}
    store.close()


def test_what_is_not_a_database_stops_the_start_with_its_name(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("this is not a database, and it is long enough to be read")
    for path in (tmp_path / "file", tmp_path / "file" / "below", tmp_path):
        with pytest.raises(ConfigurationError, match=r"SQLITE_PATH: .*: name a file"):
            SqliteEventStore(path)
