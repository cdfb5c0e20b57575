"""Dead letters on the command line: pending commands that were given up, and are kept in place."""

import argparse
import json
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime

from ...bootstrap import open_store
from ...bus import EventStore, PendingCommand, PendingKey
from ...config import Settings

LIMIT = 1000


class NotThere(Exception):
    """There is no dead letter of this name."""


def add_to(parser: argparse.ArgumentParser) -> None:
    """The arguments, and in `action` what they ask for."""
    actions = parser.add_subparsers(title="actions", required=True, metavar="ACTION")
    actions.add_parser("list", help="one line each, the oldest first").set_defaults(action=_list)
    for name, action, text in (
        ("show", _show, "all that is known of one, as JSON"),
        ("replay", _replay, "run it again: a worker takes it up at once, out of order"),
        ("drop", _drop, "delete it: it will never run"),
    ):
        named = actions.add_parser(name, help=text, description=text.capitalize() + ".")
        named.add_argument("name", metavar="NAME", type=_name, help="as `list` shows it")
        named.set_defaults(action=action)


def run(settings: Settings, options: argparse.Namespace) -> None:
    """Do what is asked. Raises `NotThere`."""
    action: Callable[[EventStore, argparse.Namespace], None] = options.action
    with closing(open_store(settings)) as store:
        action(store, options)


def _name(text: str) -> PendingKey:
    try:
        return PendingKey.parse(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _list(store: EventStore, _options: argparse.Namespace) -> None:
    for dead in store.parked(LIMIT):
        (command,) = json.loads(dead.payload)
        reason = " ".join(dead.error.split())
        print(f"{dead.key}  {dead.parked_at:%Y-%m-%dT%H:%M:%SZ}  {command['$type']}  {reason}")


def _show(store: EventStore, options: argparse.Namespace) -> None:
    dead = next((each for each in store.parked(LIMIT) if each.key == options.name), None)
    if dead is None:
        raise NotThere(f"{options.name} is no dead letter")
    print(json.dumps(_described(dead), indent=2, ensure_ascii=False))


def _described(dead: PendingCommand) -> dict[str, object]:
    (command,) = json.loads(dead.payload)
    return {
        "name": str(dead.key),
        "command": command.pop("$type"),
        "command_id": dead.command_id,
        "causation_id": dead.context.causation_id,
        "correlation_id": dead.context.correlation_id,
        "attempts": dead.attempts,
        "parked_at": dead.parked_at and dead.parked_at.isoformat(),
        "error": dead.error,
        "data": command,
    }


def _replay(store: EventStore, options: argparse.Namespace) -> None:
    if not store.replay(options.name, datetime.now(UTC)):
        raise NotThere(f"{options.name} is no dead letter")
    print(f"{options.name} is open again")


def _drop(store: EventStore, options: argparse.Namespace) -> None:
    if not store.drop(options.name):
        raise NotThere(f"{options.name} is no dead letter")
    print(f"{options.name} is gone")
