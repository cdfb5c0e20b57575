"""Golden files of the bus: everything that a release of the bus writes, kept in `tests/bus/golden`.

Each folder there is named after the version of the bus that first wrote so, and every later version
must load it. When the bus writes in another form, raise its version and run `python -m
tests.bus.support.written`: it adds a folder. It never changes an existing one.
"""

import io
import sqlite3
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from {{ cookiecutter.__package }}.adapters.event_store.memory import MemoryEventStore
from {{ cookiecutter.__package }}.adapters.event_store.sqlite import SqliteEventStore
from {{ cookiecutter.__package }}.bus import (
    Context,
    EventStore,
    Idempotency,
    IdempotencyRecord,
    PendingCommand,
    PendingKey,
    Position,
    Snapshot,
    StreamAppend,
    ViewRow,
    Worker,
    __version__,
)
from {{ cookiecutter.__package }}.entrypoints.cli import transfer

from ...support.fakes import FakeClock
from .commits import commit
from .ledger import Entry, GetLedger, Open, Post, RemindLater, Transfer, make_bus

GOLDEN = Path(__file__).parents[1] / "golden"
FOLDERS = sorted(GOLDEN.iterdir(), key=lambda each: [int(n) for n in each.name.split(".")])
NEWEST = FOLDERS[-1]
START = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)


OPEN_KEY = Idempotency("POST /ledgers anonymous", "ключ", "print 1")
TRANSFER_KEY = Idempotency("POST /transfers anonymous", "k#2", "print 2")
FIRST = '[{"$type":"Posted","ledger_id":"c","text":"first","cents":1}]'
ERROR = "RuntimeError: it's nobody’s fault"
TRANSFER = Transfer(ledger_id="a", to="b", cents=5)
SNAPSHOT = Snapshot("Ledger/c", 3, "older code", '{"cents":301}')
ROW = ViewRow("a", 3, "open", "2026", '{"title":"é"}')


def play(store: EventStore) -> None:
    """Write every kind of data: streams, a commit to two of them, pending commands (consumed,
    claimed, parked and due later), idempotency keys, a snapshot, a row and a cell."""
    clock = FakeClock(START)
    bus = make_bus(store, clock)
    for ledger_id in ("c", "a", "b"):
        key = OPEN_KEY if ledger_id == "a" else None
        bus.handle(Open(ledger_id=ledger_id), idempotency=key, correlation_id=f"opens {ledger_id}")
    first = StreamAppend(store.load("Ledger/c").position, FIRST, 1)
    store.append(commit(first, command_id="long ago", recorded_at=START))
    bus.handle(Post(ledger_id="c", entries=[Entry("second", 300)], at=START))
    clock.move(seconds=9.321099)
    Worker(bus).run_once()
    bus.handle(Post(ledger_id="a", entries=[Entry("\u0000 \\ \" '", 100), Entry("", 0)], at=START))
    bus.handle(Post(ledger_id="b", entries=[], at=START))
    (claimed,), (parked,) = store.pending("Ledger/a"), store.pending("Ledger/b")
    store.claim(claimed, clock.now())
    store.park(parked, clock.now(), ERROR)
    bus.handle(TRANSFER, idempotency=TRANSFER_KEY)
    bus.handle(RemindLater(ledger_id="a", at=datetime(2100, 1, 1, tzinfo=UTC)))
    store.save_snapshot(SNAPSHOT)
    store.views.put("ledgers", [ROW])
    store.views.set_cell("a cell", "its text", None)


def assert_as_it_was(store: EventStore) -> None:
    """Assert that the store has all that `play` wrote, and that a bus can continue from it."""
    clock = FakeClock(START)
    clock.move(seconds=10)
    now, bus = clock.now(), make_bus(store, clock)
    ledgers = [bus.ask(GetLedger(ledger_id=each)) for each in "abc"]
    assert [(each.cents, each.version) for each in ledgers] == [(95, 4), (5, 4), (301, 4)]
    assert ledgers[0].texts == ["\u0000 \\ \" '", "", "transfer", "transfer"]
    assert ledgers[2].texts == ["first", "second", "é ☃"]

    at = datetime(2026, 1, 2, 3, 4, 15, tzinfo=UTC)
    (opened, posted, transferred) = store.commits("Ledger/a")
    assert opened.context.correlation_id == "opens a"
    assert (posted.version, posted.command, posted.context.causation_id) == (2, "Post", None)
    assert (transferred.count, transferred.recorded_at) == (2, at)
    assert store.commits("Ledger/c")[-1].context.causation_id == "Ledger/c@3"

    assert store.waiting(now) == [PendingKey("Ledger/a", 2, 0)]
    (claimed,) = store.pending("Ledger/a")
    assert claimed == PendingCommand(
        key=PendingKey("Ledger/a", 2, 0),
        command_id="id-6",
        payload='[{"$type":"SendReminder","ledger_id":"a","text":"é ☃"}]',
        context=Context("id-5", "Ledger/a@2", depth=1),
        attempts=2,
        due_at=at,
    )
    (parked,) = store.parked()
    assert (parked.key, parked.attempts) == (PendingKey("Ledger/b", 2, 0), 1)
    assert (parked.parked_at, parked.error) == (at, ERROR)
    (later,) = store.pending("command/id-9")
    assert (later.in_order, later.attempts, later.due_at.year) == (False, 0, 2100)

    record = store.handled(TRANSFER_KEY.scope, TRANSFER_KEY.key, now)
    assert record == IdempotencyRecord(
        TRANSFER_KEY,
        "a6a145ca5a85d1dce697674f3dd605c5",
        (Position("Ledger/a", 2), Position("Ledger/b", 2)),
        datetime(2026, 1, 9, 3, 4, 15, tzinfo=UTC),
    )
    again = bus.handle(TRANSFER, idempotency=TRANSFER_KEY)
    assert (again.replayed, [each.version for each in again.events]) == (True, [3, 4, 3, 4])

    assert Worker(bus).run_once() == 1
    ledger = bus.ask(GetLedger(ledger_id="a"))
    assert (ledger.version, ledger.texts[-1]) == (5, "é ☃")
    assert store.replay(parked.key, now)
    assert Worker(bus).run_once() == 1
    assert bus.ask(GetLedger(ledger_id="b")).texts[-1] == "é ☃"
    assert (store.due(now), store.parked()) == ([], [])


def assert_caches_as_they_were(store: EventStore) -> None:
    """Assert that the store has the snapshot, the row and the cell too, which could be derived
    again."""
    assert store.load("Ledger/c", fingerprint=SNAPSHOT.fingerprint).snapshot == SNAPSHOT
    assert store.views.find("ledgers", ["open"], 9) == [ROW]
    assert store.views.cell("a cell") == "its text"


def export_of(store: EventStore) -> str:
    """The export of a store, always with the same export id."""
    out = io.BytesIO()
    transfer._write(store, out)
    header, _, rest = out.getvalue().decode().partition("\n")
    told = msgspec.json.decode(header)
    return msgspec.json.encode({**told, "export_id": "golden"}).decode() + "\n" + rest


def sqlite_file(path: Path) -> None:
    """The log in a SQLite file, whole in the one file."""
    store = SqliteEventStore(path)
    play(store)
    store.close()


def sql_of(path: Path) -> str:
    """The SQL statements that create this SQLite file again."""
    with sqlite3.connect(path) as connection:
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        lines = [f"PRAGMA user_version = {version};"]
        made = connection.execute(
            "SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL"
            " AND name NOT LIKE 'sqlite_%' ORDER BY type DESC, name"
        ).fetchall()
        lines += [f"{sql};" for _, _, sql in made]
        for name in [name for kind, name, _ in made if kind == "table"]:
            columns = [row[1] for row in connection.execute(f"PRAGMA table_info({name})")]
            quoted = " || ', ' || ".join(f"quote({column})" for column in columns)
            order = ", ".join(columns[:3])
            rows = connection.execute(f"SELECT {quoted} FROM {name} ORDER BY {order}").fetchall()
            into = f"INSERT INTO {name} ({', '.join(columns)}) VALUES"
            lines += [f"{into} ({row});" for (row,) in rows]
    connection.close()
    return "\n".join(lines) + "\n"


def keep(name: str, text: str) -> None:
    """Keep a text that this bus writes. Nothing is ever overwritten."""
    folder = GOLDEN / __version__
    folder.mkdir(exist_ok=True)
    with (folder / name).open("x", encoding="utf-8") as file:
        file.write(text)


def assert_kept(name: str, text: str, module: str) -> None:
    """Assert that this bus still writes what is kept. `module` is the program that keeps a new
    version."""
    assert text == (NEWEST / name).read_text("utf-8"), (
        f"the bus no longer writes as {NEWEST.name} did: once what it writes is what you mean,"
        f" raise bus.__version__ and run `python -m {module}`"
    )


def main() -> None:
    memory = MemoryEventStore()
    play(memory)
    keep("export.jsonl", export_of(memory))
    with tempfile.TemporaryDirectory() as folder:
        sqlite_file(Path(folder) / "events.db")
        keep("sqlite.sql", sql_of(Path(folder) / "events.db"))


if __name__ == "__main__":
    main()
