"""An import that is crashed at every call of the store: begun again, it goes on to the end.

A program: it takes a folder. Each attempt has its own SQLite file, because a store must be empty.
"""

import argparse
import sys
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

from {{ cookiecutter.__package }}.bootstrap import open_store
from {{ cookiecutter.__package }}.bus import EventStore
from {{ cookiecutter.__package }}.config import Settings
from {{ cookiecutter.__package }}.entrypoints.cli import transfer
from {{ cookiecutter.__package }}.observability import log

from ..support import counter
from ..support.crash import Mortal, crash_at_every_call

COUNTERS = 5
transfer.BATCH = 2


def settings_of(folder: Path, name: str) -> Settings:
    return Settings(store="sqlite", sqlite_path=folder / f"{name}.db", log_level="error")


def take_in(folder: Path, number: int, mortal: Mortal[Any] = lambda port: port) -> None:
    with closing(open_store(settings_of(folder, f"target-{number}"))) as target:
        transfer.take_in(mortal(target), folder / "log.jsonl")


def check(folder: Path, number: int) -> None:
    """Begun again: all that was exported is there, and nothing else."""
    target = open_store(settings_of(folder, f"target-{number}"))
    if len(contents(target)) != len(contents(source(folder))):
        take_in(folder, number)
    assert contents(target) == contents(source(folder))
    target.close()


def source(folder: Path) -> EventStore:
    return open_store(settings_of(folder, "source"))


def contents(store: EventStore) -> list[Any]:
    return list(store.dump())


def main(folder: Path) -> None:
    settings = settings_of(folder, "source")
    log.configure(settings)
    bus = counter.make_bus(open_store(settings))
    for number in range(COUNTERS):
        bus.handle(counter.Open(counter_id=f"c{number}"))
    options = argparse.Namespace(file=folder / "log.jsonl")
    transfer.write(settings, options)
    points = crash_at_every_call(partial(take_in, folder), partial(check, folder))
    print(f"importing: {points} points")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
