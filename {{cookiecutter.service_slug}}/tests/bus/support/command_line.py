"""The command line in this process, with a SQLite file of its own and a second aggregate: the
counter."""

import io
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import NamedTuple

import pytest

from {{ cookiecutter.__package }} import bootstrap
from {{ cookiecutter.__package }}.adapters.event_store.sqlite import SqliteEventStore
from {{ cookiecutter.__package }}.bus import Dispatch, MessageBus
from {{ cookiecutter.__package }}.config import Settings
from {{ cookiecutter.__package }}.entrypoints.cli import program

from ..parcel.files import FileStore, MemoryFileStore
from . import counter

FILE = "events.db"
COUNTER = SimpleNamespace(
    COMMANDS=counter.COMMANDS,
    EVENTS=counter.EVENTS,
    QUERIES=counter.QUERIES,
    PROJECTIONS=(),
    UPCASTERS=(),
)


class Ended(NamedTuple):
    """The result of a command."""

    code: int
    out: str
    err: str


CommandLine = Callable[..., Ended]


@pytest.fixture
def typed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> CommandLine:
    """Run one command, as if it were typed. It leaves this process's log as it is."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SQLITE_PATH", FILE)
    monkeypatch.setattr(bootstrap, "SERVICES", (*bootstrap.SERVICES, COUNTER))
    monkeypatch.setattr(program, "_log_in_one_line", lambda _settings: None)

    def run(*arguments: str, given: str = "") -> Ended:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(given.encode())))
        capsys.readouterr()
        try:
            code = program.main(arguments)
        except SystemExit as ended:  # argparse
            code = int(ended.code or 0)
        return Ended(code, *capsys.readouterr())

    return run


@pytest.fixture
def bus(typed: CommandLine) -> MessageBus:
    """A bus on the same file, whose follow-ups are left to a worker."""
    return bootstrap.make_bus(
        Settings(store="memory"),
        store=SqliteEventStore(Path(FILE)),
        dependencies={FileStore: MemoryFileStore()},
        dispatch=Dispatch(inline=False),
    )
