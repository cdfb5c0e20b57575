"""The type of a command of the command line, and what the commands share."""

import argparse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from ...bootstrap import make_bus
from ...bus import MessageBus
from ...config import Settings


def _none(_parser: argparse.ArgumentParser) -> None:
    """No arguments."""


class Subcommand(NamedTuple):
    """A row of `COMMANDS`: its name, a short description, the function that runs it, and the
    function that declares its arguments."""

    name: str
    text: str
    run: Callable[[Settings, argparse.Namespace], None]
    arguments: Callable[[argparse.ArgumentParser], None] = _none


class Refusal(Exception):
    """The command refuses to do what was asked. The message says why, in one line."""


@contextmanager
def opened(settings: Settings) -> Iterator[MessageBus]:
    """The message bus for one command; its store is closed at the end."""
    bus = make_bus(settings)
    try:
        yield bus
    finally:
        bus.store.close()


def takes_json(parser: argparse.ArgumentParser, text: str = "as JSON") -> None:
    """Declare `--json`, as every listing has it."""
    parser.add_argument("--json", action="store_true", help=text)
