"""`history` and `state`: the events and the state of one aggregate."""

import argparse
import re

import msgspec

from ...bus import operations
from ...config import Settings
from ...domain.{{ cookiecutter.__aggregate_snake }} import aggregate
from . import events, terminal
from .subcommand import Subcommand, opened, takes_json

FIRST = aggregate.{{ cookiecutter.__aggregate }}


def _named(parser: argparse.ArgumentParser) -> None:
    text = f"its id; of any aggregate as NAME/ID, such as {FIRST.stream_of('42')}"
    parser.add_argument("id", metavar="ID", type=_stream, help=text)


def _stream(text: str) -> str:
    return text if "/" in text else FIRST.stream_of(text)


def _history_arguments(parser: argparse.ArgumentParser) -> None:
    _named(parser)
    takes_json(parser, "as the HTTP API shows it")


def _history(settings: Settings, options: argparse.Namespace) -> None:
    with opened(settings) as bus:
        found = operations.history(bus, options.id)
    if options.json:
        terminal.say_json({"events": [events.with_command(each) for each in found]})
    else:
        terminal.say_table(events.HEADER, map(events.cells, found))


def _state_arguments(parser: argparse.ArgumentParser) -> None:
    _named(parser)
    parser.add_argument("--at", metavar="VERSION", type=_version, help="as it was then")


def _version(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError("must be a number from 1 on")
    return int(text)


def _state(settings: Settings, options: argparse.Namespace) -> None:
    with opened(settings) as bus:
        found = operations.state(bus, options.id, options.at)
    shown = {f"{_snake(found.aggregate.__name__)}_id": found.id, "version": found.version}
    attributes = msgspec.to_builtins(found.attributes, str_keys=True, enc_hook=str)
    terminal.say_json({**shown, **attributes})


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


HISTORY = Subcommand("history", "show all that happened, in order", _history, _history_arguments)
STATE = Subcommand("state", "show the state as JSON", _state, _state_arguments)
