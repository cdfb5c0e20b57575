"""The command line, whatever is stored, whoever reads it, and whatever is added to it."""

import argparse
import json
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from unicodedata import category

import pytest
from msgspec.structs import replace

from {{ cookiecutter.__package }}.bus import Context, MessageBus, StreamAppend
from {{ cookiecutter.__package }}.config import Settings
from {{ cookiecutter.__package }}.entrypoints.cli import program, status, terminal
from {{ cookiecutter.__package }}.entrypoints.cli.status_line import Line
from {{ cookiecutter.__package }}.entrypoints.cli.subcommand import Refusal, Subcommand

from ...support.process import SECONDS, _environment
from ..parcel import commands
from ..support.command_line import CommandLine, bus, typed
from ..support.commits import commit, follow_up
from ..support.process import COMMAND_LINE, run

__all__ = ["bus", "typed"]

NAME = "Parcel"
ID = "parcel_id"
EVIL = "\x1b[31m\u202e\u2066\x9b2J\u2028\x07\u200f"
SHOWN = r"\u001b[31m\u202e\u2066\u009b2J\u2028\u0007\u200f"
PARKED = f"{NAME}/{EVIL}@1#0"
UNKNOWN = json.dumps([{"$type": f"Renamed{EVIL}", EVIL: EVIL}])

SHOW = [  # what shows stored text, and so what must be looked at
    ["send", f"Create{NAME}", json.dumps({ID: "b", "data": {EVIL: EVIL}}), "--json"],
    ["send", f"Create{NAME}", json.dumps({ID: "c", "data": {EVIL: EVIL}})],
    ["send", EVIL, "{}"],
    ["history", EVIL],
    ["history", EVIL, "--json"],
    ["history", f"no{EVIL}/1"],
    ["state", EVIL],
    ["state", f"{NAME}/{EVIL}", "--at", "9"],
    ["state", "unknown"],
    ["correlated", EVIL],
    ["correlated", EVIL, "--json"],
    ["correlated", f"no{EVIL}"],
    ["correlated", "\udcff"],
    ["history", "\udcff"],
    ["pending"],
    ["pending", "--json"],
    ["dead-letters", "list"],
    ["dead-letters", "list", "--json"],
    ["dead-letters", "show", PARKED],
    ["dead-letters", "show", f"no{PARKED}"],
    ["dead-letters", "replay", PARKED],
    ["dead-letters", "replay", "--all"],
    ["dead-letters", "replay", "--command", f"no{EVIL}"],
    ["dead-letters", "drop", f"no{PARKED}"],
    ["status"],
    ["status", "--json"],
    ["status", "--strict"],
    ["feed", "--all", "--once"],
    ["feed", "--all", "--once", "--json"],
    ["rebuild", EVIL],
    ["export", EVIL],
    ["import", EVIL],
    ["flow"],
    [EVIL],
]
TYPED = ["-m", COMMAND_LINE]


@pytest.fixture
def full_of_it(typed: CommandLine, bus: MessageBus) -> CommandLine:
    """A store in which every text that can hold it holds characters that steer a terminal."""
    create = commands.CreateParcel(
        parcel_id=EVIL,
        data={EVIL: [EVIL, "\u0085"]},
    )
    context = Context(EVIL, actor=EVIL)
    bus.handle(create, context=context)
    (row,) = bus.store.pending(f"{NAME}/{EVIL}")
    assert bus.park(row, f"Error: {EVIL}")
    waiting = commands.CreateParcel(
        parcel_id=f"{EVIL}2",
        data={},
    )
    bus.handle(waiting, context=context)
    write_unknown(bus, "unknown", context)
    return typed


def write_unknown(bus: MessageBus, of: str, context: Context | None = None) -> None:
    after = bus.store.load(f"{NAME}/{of}").position
    bus.store.append(commit(StreamAppend(after, UNKNOWN, 1), context=context))


@pytest.mark.parametrize("arguments", SHOW, ids=lambda each: terminal.safe(" ".join(each)))
def test_no_stored_text_steers_the_terminal(full_of_it: CommandLine, arguments: list[str]) -> None:
    ended = full_of_it(*arguments)
    written = ended.out + ended.err
    assert written
    assert {category(each) for each in written.replace("\n", "")}.isdisjoint(terminal.UNSAFE)
    if "--json" in arguments and "feed" not in arguments:
        assert json.loads(ended.out)


def test_what_would_steer_it_is_shown_and_in_json_it_is_the_same(full_of_it: CommandLine) -> None:
    assert SHOWN in full_of_it("history", EVIL).out
    assert f"{NAME}/{SHOWN}@1#0" in full_of_it("dead-letters", "list").out
    assert json.loads(full_of_it("dead-letters", "show", PARKED).out)["error"] == f"Error: {EVIL}"
    (created,) = json.loads(full_of_it("history", EVIL, "--json").out)["events"]
    assert (created["actor"], created["data"]["data"]) == (EVIL, {EVIL: [EVIL, "\u0085"]})


def test_an_export_to_a_terminal_does_not_steer_it(
    full_of_it: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    lines = full_of_it("export", "-").out.splitlines()
    monkeypatch.setattr("sys.stdout.isatty", lambda: False)
    assert {category(each) for each in "".join(lines)}.isdisjoint(terminal.UNSAFE)
    plain = full_of_it("export", "-").out.split("\n")[:-1]
    assert [json.loads(line) for line in lines[1:]] == [json.loads(line) for line in plain[1:]]


def test_an_event_that_is_not_known_is_listed_and_no_state(
    typed: CommandLine, bus: MessageBus
) -> None:
    write_unknown(bus, "a", Context("c"))
    for listing in (["history", "a"], ["feed", "--all", "--once"], ["correlated", "c"]):
        ended = typed(*listing)
        assert (ended.code, ended.err, ended.out.count("\n")) == (0, "", 1)
        assert f"Renamed{SHOWN} (unknown)" in ended.out
        shown = json.loads(typed(*listing, "--json").out)
        (event,) = shown.get("events", [shown])
        assert (event["type"], event["known"]) == (f"Renamed{EVIL}", False)
        assert event["data"] == {EVIL: EVIL}
    ended = typed("state", "a")
    assert (ended.code, ended.out, ended.err.count("\n")) == (1, "", 1)
    assert f"{NAME}/a: " in ended.err


def test_a_command_that_is_not_known_is_listed(typed: CommandLine, bus: MessageBus) -> None:
    gone = '[{"$type":"Gone","n":1}]'
    bus.store.restore([replace(follow_up(each, 1), payload=gone) for each in ("w", "p")])
    assert bus.store.park(bus.store.pending("p")[0], bus.clock.now(), "it is not known")
    assert typed("pending").out.startswith("Gone (unknown)  w@1#0  ")
    assert "  Gone (unknown)  it is not known\n" in typed("dead-letters", "list").out
    shown = json.loads(typed("dead-letters", "show", "p@1#0").out)
    assert (shown["command"], shown["known"], shown["data"]) == ("Gone", False, {"n": 1})


@pytest.mark.slow
@pytest.mark.parametrize(
    "arguments", [["--help"], ["status"], ["feed", "--all", "--once"], ["export", "-"], ["flow"]]
)
def test_when_nobody_reads_on_it_ends_without_a_word(tmp_path: Path, arguments: list[str]) -> None:
    run(tmp_path, "send", f"Create{NAME}", json.dumps({ID: "a", "data": {}}))
    read, write = os.pipe()
    os.close(read)
    ended = started(tmp_path, [*TYPED, *arguments], stdout=write)
    os.close(write)
    assert ended == (141, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no disk that is full")
def test_a_full_disk_is_one_line_and_code_1(tmp_path: Path) -> None:
    with Path("/dev/full").open("wb") as full:
        code, error = started(tmp_path, [*TYPED, "flow"], stdout=full.fileno())
    assert (code, error.count("\n")) == (1, 1)
    assert "No space left" in error


def test_a_mistake_in_the_program_is_one_safe_line_and_in_debug_a_traceback(tmp_path: Path) -> None:
    script = f"""
from {program.__name__.rpartition(".")[0]} import program
from {program.__name__.rpartition(".")[0]}.subcommand import Subcommand
def broken(settings, options): raise RuntimeError({EVIL!r})
program.COMMANDS = (Subcommand("broken", "it is broken", broken),)
raise SystemExit(program.main(["broken"]))
"""
    line = f"{terminal.PROGRAM}: failed: RuntimeError: {SHOWN}\n"
    assert started(tmp_path, ["-c", script]) == (1, line.replace("\\u2028", " "))
    code, error = started(tmp_path, ["-c", script], LOG_LEVEL="debug")
    assert (code, "Traceback" in error, "in broken" in error) == (1, True, True)
    assert {category(each) for each in error.replace("\n", "")}.isdisjoint(terminal.UNSAFE)


def test_a_dead_letter_is_one_safe_line_with_its_reason() -> None:
    line = {"message": "Add", "key": "Counter/a@1#0", "event": "dead letter", "reason": EVIL}
    shown = program._OneLine(with_traceback=False).format(logging.makeLogRecord({"msg": line}))
    reason = SHOWN.replace("\\u2028", " ")  # white space, as between words
    assert shown == f"{terminal.PROGRAM}: Add Counter/a@1#0 dead letter: {reason}"


def started(
    folder: Path, arguments: list[str], *, stdout: int = subprocess.DEVNULL, **environment: str
) -> tuple[int, str]:
    """A process of its own: its code, and what it wrote to standard error."""
    ended = subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env=_environment(environment),
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    return ended.returncode, ended.stderr


def raises(error: BaseException) -> Subcommand:
    """A command that ends so."""

    def run(_settings: Settings, _options: argparse.Namespace) -> None:
        raise error

    return Subcommand("odd", "end oddly", run)


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (KeyboardInterrupt(), 130, ""),
        (Refusal(f"no\n{EVIL}"), 1, f"{terminal.PROGRAM}: no {SHOWN}\n".replace("\\u2028", " ")),
    ],
)
def test_what_ends_a_command_is_said_in_its_code(
    typed: CommandLine,
    monkeypatch: pytest.MonkeyPatch,
    error: BaseException,
    code: int,
    said: str,
) -> None:
    monkeypatch.setattr(program, "COMMANDS", (*program.COMMANDS, raises(error)))
    assert typed("odd") == (code, "", said)


def test_a_command_is_added_in_one_line(
    typed: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def arguments(parser: argparse.ArgumentParser) -> None:
        parser.add_argument("name")

    def greet(settings: Settings, options: argparse.Namespace) -> None:
        terminal.say(f"{options.name}, {settings.store}")

    added = Subcommand("greet", "say hello", greet, arguments)
    monkeypatch.setattr(program, "COMMANDS", (*program.COMMANDS, added))
    assert typed("greet", "Ann") == (0, "Ann, sqlite\n", "")
    assert "say hello" in typed("--help").out
    assert typed("greet", "--help").out.startswith(f"usage: {terminal.PROGRAM} greet")


def test_a_line_of_status_is_added_in_one_line(
    typed: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def weather(_settings: Settings, _bus: MessageBus) -> Iterator[Line]:
        yield Line("weather", "21 degrees", {"degrees": 21})

    before = typed("status").out
    monkeypatch.setattr(status, "LINES", (*status.LINES, weather))
    assert typed("status").out == f"{before}weather: 21 degrees\n"
    assert json.loads(typed("status", "--json").out)["weather"] == {"degrees": 21}
