"""What an operator does on the command line: status, feed, rebuild, export and import."""

import json
from pathlib import Path

import httpx
import pytest

from {{ cookiecutter.__package }}.adapters.event_store.sqlite import SqliteEventStore
from {{ cookiecutter.__package }}.bootstrap import make_bus
from {{ cookiecutter.__package }}.bus import Dispatch, MessageBus, Worker
from {{ cookiecutter.__package }}.config import Settings

from ..parcel import commands
from ..parcel.files import FileStore, MemoryFileStore
from ..support.process import run, running, serving, until

NAME = "Parcel"
PATH = "/parcels"
ID = "parcel_id"
MODEL = "parcels"
OPEN = 3


def bus_on(path: Path, *, inline: bool = True) -> MessageBus:
    return make_bus(
        Settings(store="memory"),
        store=SqliteEventStore(path),
        dependencies={FileStore: MemoryFileStore()},
        dispatch=Dispatch(inline=inline),
    )


def create(bus: MessageBus, new_id: str) -> None:
    bus.handle(commands.CreateParcel(parcel_id=new_id, data={}))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return filled(tmp_path)


def filled(folder: Path) -> Path:
    """A file of events: ten workflows done, three in the middle of their work, one given up."""
    bus = bus_on(folder / "a.db")
    for number in range(10):
        create(bus, f"n{number}")
    waiting = bus_on(folder / "a.db", inline=False)
    for number in range(OPEN + 1):
        create(waiting, f"w{number}")
    (row,) = bus.store.pending(f"{NAME}/w{OPEN}")
    assert bus.park(row, "it failed")
    bus.store.close()
    waiting.store.close()
    return folder


def states(path: Path) -> dict[str, list[str]]:
    """The types of the events of each stream."""
    store = SqliteEventStore(path)
    found: dict[str, list[str]] = {}
    for commit in store.feed().commits:
        types = [event["$type"] for event in json.loads(commit.events)]
        found.setdefault(commit.stream_id, []).extend(types)
    store.close()
    return found


@pytest.mark.slow
def test_status_says_what_is_open_and_how_far_the_read_models_are(folder: Path) -> None:
    shown = run(folder, "status", SQLITE_PATH="a.db").stdout
    assert f"{OPEN} open, {OPEN} due, the oldest for " in shown
    assert "1 parked" in shown
    assert f"read model {MODEL}: {30 + OPEN + 1} commits behind, the oldest for " in shown
    run(folder, "rebuild", MODEL, SQLITE_PATH="a.db")
    with serving(folder, SQLITE_PATH="a.db") as server:
        until(lambda: len(httpx.get(f"{server.url}{PATH}").json()["items"]) == 14 or None)
        status = f"read model {MODEL}: 0 commits behind"
        until(lambda: status in run(folder, "status", SQLITE_PATH="a.db").stdout or None)
    assert "0 open, 0 due\n" in run(folder, "status", SQLITE_PATH="a.db").stdout


@pytest.mark.slow
def test_feed_shows_every_event_and_follows(folder: Path) -> None:
    everything = run(folder, "feed", "--all", "--once", SQLITE_PATH="a.db").stdout.splitlines()
    assert len(everything) == 34
    assert f"Create{NAME} → {NAME}Created" in everything[0]
    assert run(folder, "feed", "--once", SQLITE_PATH="a.db").stdout == ""
    with running(folder, "feed", "--all", "--json", SQLITE_PATH="a.db") as feed:
        until(lambda: len(feed.lines()) == 34 or None)
        bus = bus_on(folder / "a.db")
        create(bus, "later")
        bus.store.close()
        until(lambda: len(feed.lines()) == 37 or None)
        assert [line["type"] for line in feed.lines()[34:]] == [
            f"{NAME}Created",
            f"{NAME}Processed",
            f"{NAME}Archived",
        ]
        assert feed.stop() == 0


def test_rebuild_shows_how_far_it_is(folder: Path) -> None:
    done = run(folder, "rebuild", MODEL, SQLITE_PATH="a.db")
    assert done.returncode == 0
    assert done.stderr.splitlines()[-1] == f"{MODEL}: 100%  34 of 34 commits"
    wrong = run(folder, "rebuild", "nothing", SQLITE_PATH="a.db")
    assert (wrong.returncode, wrong.stderr.count("\n")) == (2, 1)
    assert MODEL in wrong.stderr


@pytest.mark.slow
def test_what_was_exported_in_the_middle_of_work_is_finished_elsewhere(folder: Path) -> None:
    assert run(folder, "export", "log.jsonl", SQLITE_PATH="a.db").returncode == 0
    assert run(folder, "import", "log.jsonl", SQLITE_PATH="b.db").returncode == 0
    assert states(folder / "a.db") == states(folder / "b.db")
    bus = bus_on(folder / "b.db")
    worker = Worker(bus)
    attempted = []
    while ran := worker.run_once():
        attempted.append(ran)
    assert sum(attempted) == OPEN
    assert [row.error for row in bus.store.parked()] == ["it failed"]
    bus.store.close()
    before, after = states(folder / "a.db"), states(folder / "b.db")
    done = [f"{NAME}Created", f"{NAME}Processed", f"{NAME}Archived"]
    assert {stream for stream in after if after[stream] != before[stream]} == {
        f"{NAME}/w{number}" for number in range(OPEN)
    }
    assert all(after[stream] == done for stream in after if stream != f"{NAME}/w{OPEN}")


def test_an_export_to_standard_output_is_the_same(folder: Path) -> None:
    run(folder, "export", "log.jsonl", SQLITE_PATH="a.db")
    printed = run(folder, "export", "-", SQLITE_PATH="a.db").stdout.splitlines()
    assert printed[1:] == (folder / "log.jsonl").read_text().splitlines()[1:]


def test_an_export_overwrites_nothing(folder: Path) -> None:
    (folder / "log.jsonl").write_text("mine")
    refused = run(folder, "export", "log.jsonl", SQLITE_PATH="a.db")
    assert (refused.returncode, "log.jsonl: File exists" in refused.stderr) == (1, True)
    assert (folder / "log.jsonl").read_text() == "mine"


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = filled(tmp_path_factory.mktemp("exported"))
    run(folder, "export", "log.jsonl", SQLITE_PATH="a.db")
    return (folder / "log.jsonl").read_text()


def cut(text: str) -> str:
    return text[: text.rindex('{"type":"end"')]


def garble(text: str) -> str:
    return text.replace('"version":2', '"version":"two"', 1)


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (cut, "it ends too early"),
        (garble, "line 3: "),
        (lambda text: text.partition("\n")[2], "not an export"),
        (lambda text: text.replace('"format":1', '"format":2'), "not an export of format 1"),
        (lambda text: "", "not an export"),
    ],
)
def test_a_damaged_export_is_refused_before_anything_is_written(
    tmp_path: Path, exported: str, damage: object, reason: str
) -> None:
    assert callable(damage)
    (tmp_path / "log.jsonl").write_text(damage(exported))
    refused = run(tmp_path, "import", "log.jsonl", SQLITE_PATH="b.db")
    assert (refused.returncode, refused.stderr.count("\n")) == (1, 1)
    assert reason in refused.stderr
    assert not (tmp_path / "b.db").exists() or states(tmp_path / "b.db") == {}


@pytest.mark.slow
def test_an_import_goes_into_an_empty_store_and_once(folder: Path) -> None:
    run(folder, "export", "log.jsonl", SQLITE_PATH="a.db")
    refused = run(folder, "import", "log.jsonl", SQLITE_PATH="a.db")
    assert (refused.returncode, "not empty" in refused.stderr) == (1, True)
    assert run(folder, "import", "log.jsonl", SQLITE_PATH="b.db").returncode == 0
    refused = run(folder, "import", "log.jsonl", SQLITE_PATH="b.db")
    assert (refused.returncode, "taken in already" in refused.stderr) == (1, True)
    assert states(folder / "a.db") == states(folder / "b.db")
