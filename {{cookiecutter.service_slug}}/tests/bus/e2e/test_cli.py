"""The command line, as it is typed: each command a process of its own."""

import json
import os
import socket
from datetime import UTC, datetime
from pathlib import Path

import pytest

from {{ cookiecutter.__package }} import __version__
from {{ cookiecutter.__package }}.bootstrap import make_bus
from {{ cookiecutter.__package }}.bus import Dispatch
from {{ cookiecutter.__package }}.bus import __version__ as bus_version
from {{ cookiecutter.__package }}.config import Settings

from ..parcel import commands
from ..support.process import run, running

PROGRAM = "{{ cookiecutter.service_slug }}"
ID = "parcel_id"
NAME = "Parcel"
HAPPENED = [
    (f"Create{NAME}", f"{NAME}Created"),
    (f"Process{NAME}", f"{NAME}Processed"),
    (f"Archive{NAME}", f"{NAME}Archived"),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which something has happened already."""
    folder = tmp_path_factory.mktemp("service")
    default = Settings.model_fields["sqlite_path"].default
    settings = Settings(store="sqlite", sqlite_path=folder / default)
    bus = make_bus(settings)
    bus.handle(
        commands.CreateParcel(
            parcel_id="a",
            data={"text": "é" * 200},
        )
    )
    bus.store.close()
    return folder


def test_the_history_is_a_timeline(folder: Path) -> None:
    ended = run(folder, "history", "a")

    assert (ended.returncode, ended.stderr) == (0, "")
    lines = ended.stdout.splitlines()
    assert [tuple(line.split()[1:4:2]) for line in lines] == HAPPENED
    assert all(line[:2] == "20" and line[26:32] == "+00:00" for line in lines)
    assert max(map(len, lines)) < 200


def test_the_history_as_json_is_that_of_http_with_the_commands(folder: Path) -> None:
    ended = run(folder, "history", "a", "--json")

    assert (ended.returncode, ended.stderr) == (0, "")
    events = json.loads(ended.stdout)["events"]
    assert [(event["command"], event["type"]) for event in events] == HAPPENED
    assert events[0]["data"] == {ID: "a", "data": {"text": "é" * 200}}
    identity = {"type", "event_id", "version", "recorded_at", "causation_id", "correlation_id"}
    assert set(events[0]) == identity | {"actor", "data", "command"}


def test_the_state_is_that_of_now_or_of_a_version(folder: Path) -> None:
    now, then = run(folder, "state", "a"), run(folder, "state", "a", "--at", "2")

    assert json.loads(now.stdout)["status"] == "archived"
    assert json.loads(then.stdout) == {
        ID: "a",
        "version": 2,
        "status": "processed",
        "data": {"text": "é" * 200},
        "result": {"fields": ["text"]},
        "location": None,
    }


@pytest.mark.slow
@pytest.mark.parametrize(
    ("command", "unknown"),
    [("history", "b"), ("state", "b"), ("history", "a\n"), ("state", "\udcff"), ("state", "")],
)
def test_an_unknown_id_is_one_line_and_code_1(folder: Path, command: str, unknown: str) -> None:
    ended = run(folder, command, unknown)

    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr.startswith(f"{PROGRAM}: {NAME} ")
    assert ended.stderr.count("\n") == 1


@pytest.mark.slow
@pytest.mark.parametrize("version", ["0", "-1", "x"])
def test_a_version_is_a_number_from_1_on(folder: Path, version: str) -> None:
    assert run(folder, "state", "a", f"--at={version}").returncode == 2


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "name", "value"),
    [
        (["history", "a"], "STORE", "abacus"),
        (["history", "a"], "SQLITE_PATH", os.devnull + "/x.db"),
        (["serve"], "PORT", "http"),
        (["serve"], "PORT", "65536"),
        (["serve"], "SQLITE_PATH", os.devnull + "/x.db"),
        (["flow"], "LOG_LEVEL", "loud"),
    ],
)
def test_a_wrong_setting_is_one_line_that_names_it_and_code_2(
    folder: Path, arguments: list[str], name: str, value: str
) -> None:
    ended = run(folder, *arguments, **{name: value})

    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.startswith(f"{PROGRAM}: {name}: ")
    assert ended.stderr.count("\n") == 1


def test_a_taken_port_is_one_line_and_code_2(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        ended = run(tmp_path, "serve", PORT=port)

    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.startswith(f"{PROGRAM}: HOST, PORT: cannot listen on 127.0.0.1:{port}: ")
    assert ended.stderr.count("\n") == 1


@pytest.mark.slow
@pytest.mark.parametrize("store", ["memory", "sqlite"])
def test_there_is_nothing_to_create_for_a_store_without_a_server(
    tmp_path: Path, store: str
) -> None:
    ended = run(tmp_path, "create-store", STORE=store)

    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout == f"STORE={store}: there is nothing to create\n"


def test_the_flow_is_drawn_without_a_store(tmp_path: Path) -> None:
    ended = run(tmp_path, "flow")

    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.startswith("flowchart LR\n")
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
@pytest.mark.parametrize("command", ["serve", "send", "history", "flow"])
def test_every_command_explains_itself(tmp_path: Path, command: str) -> None:
    ended = run(tmp_path, command, "--help")

    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.startswith(f"usage: {PROGRAM} {command}")


def test_it_names_its_version_and_that_of_the_bus(tmp_path: Path) -> None:
    ended = run(tmp_path, "--version")

    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout == f"{PROGRAM} {__version__} (bus {bus_version})\n"
    assert not list(tmp_path.iterdir())


def test_without_a_command_it_asks_for_one(tmp_path: Path) -> None:
    ended = run(tmp_path)

    assert (ended.returncode, ended.stdout) == (2, "")
    assert "COMMAND" in ended.stderr


@pytest.fixture
def parked(tmp_path: Path) -> str:
    """A dead letter in a service of its own."""
    default = Settings.model_fields["sqlite_path"].default
    settings = Settings(store="sqlite", sqlite_path=tmp_path / default)
    bus = make_bus(settings, dispatch=Dispatch(steps=0))
    bus.handle(commands.CreateParcel(parcel_id="a", data={}))
    (row,) = bus.store.pending(f"{NAME}/a")
    bus.store.park(row, datetime(2026, 1, 2, tzinfo=UTC), "RuntimeError: an\noutage")
    bus.store.close()
    return f"{NAME}/a@1#0"


@pytest.mark.slow
def test_dead_letters_are_listed_and_shown(tmp_path: Path, parked: str) -> None:
    ended = run(tmp_path, "dead-letters", "list")
    assert (ended.returncode, ended.stderr) == (0, "")
    reason = "RuntimeError: an outage"
    assert ended.stdout == f"{parked}  2026-01-02T00:00:00Z  Process{NAME}  {reason}\n"

    shown = json.loads(run(tmp_path, "dead-letters", "show", parked).stdout)
    assert (shown["name"], shown["command"], shown["data"]) == (parked, f"Process{NAME}", {ID: "a"})
    assert (shown["attempts"], shown["causation_id"]) == (1, f"{NAME}/a@1")


@pytest.mark.slow
def test_a_dead_letter_that_is_replayed_takes_effect_once(tmp_path: Path, parked: str) -> None:
    ended = run(tmp_path, "dead-letters", "replay", parked)
    assert (ended.returncode, ended.stdout) == (0, f"{parked} is open again\n")
    assert run(tmp_path, "dead-letters", "list").stdout == ""
    with running(tmp_path, "worker") as worker:
        worker.wait_for("handled")
        assert worker.stop() == 0
    lines = run(tmp_path, "history", "a").stdout.splitlines()
    assert [tuple(line.split()[1:4:2]) for line in lines] == HAPPENED
    assert run(tmp_path, "dead-letters", "replay", parked).returncode == 1


@pytest.mark.slow
def test_a_dead_letter_that_is_dropped_is_gone(tmp_path: Path, parked: str) -> None:
    ended = run(tmp_path, "dead-letters", "drop", parked)
    assert (ended.returncode, ended.stdout) == (0, f"{parked} is gone\n")
    for action in ("show", "replay", "drop"):
        ended = run(tmp_path, "dead-letters", action, parked)
        assert (ended.returncode, ended.stdout) == (1, "")
        assert ended.stderr == f"{PROGRAM}: {parked} is no dead letter\n"


def test_a_name_that_is_none_is_refused_with_one_that_is(tmp_path: Path) -> None:
    ended = run(tmp_path, "dead-letters", "show", "a")
    assert ended.returncode == 2
    assert "'a' is not of the form Order/42@1#0" in ended.stderr
