"""`dead-letters`: lists, shows, replays and drops parked commands, and parks open ones."""

import argparse
from collections.abc import Callable
from typing import Any

from ...bus import MessageBus, PendingKey, operations
from ...config import Settings
from .. import shapes
from . import terminal
from .pending import name_of, tell_if_cut
from .subcommand import Subcommand, opened, takes_json

HEADER = ("name", "parked at", "command", "reason")


def _arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(title="actions", required=True, metavar="ACTION")
    all_of_them = actions.add_parser("list", help="one line each, the oldest first")
    takes_json(all_of_them)
    all_of_them.set_defaults(action=_list)
    for name, action, text, listing in (
        ("show", _show, "all that is known of one, as JSON", "list"),
        ("replay", _replay, "run it again: a worker takes it up at once, out of order", "list"),
        ("drop", _drop, "delete it: it will never run", "list"),
        ("park", _park, "give up a command that is open: it becomes a dead letter", "pending"),
    ):
        added = actions.add_parser(name, help=text, description=text.capitalize() + ".")
        added.set_defaults(action=action)
        if action is not _replay:
            shown = f"as `{listing}` shows it"
            added.add_argument("name", metavar="NAME", type=_name, help=shown)
            continue
        which = added.add_mutually_exclusive_group(required=True)
        which.add_argument("name", metavar="NAME", type=_name, nargs="?", help="as `list` shows it")
        which.add_argument("--all", action="store_true", help="all that there are")
        which.add_argument("--command", metavar="COMMAND", help="all of this command")


def _name(text: str) -> PendingKey:
    try:
        return PendingKey.parse(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _run(settings: Settings, options: argparse.Namespace) -> None:
    action: Callable[[MessageBus, argparse.Namespace], None] = options.action
    with opened(settings) as bus:
        action(bus, options)


def _list(bus: MessageBus, options: argparse.Namespace) -> None:
    found = operations.dead_letters(bus)
    if options.json:
        terminal.say_json({"dead_letters": [_entry(each) for each in found]})
    else:
        terminal.say_table(HEADER, map(_cells, found))
    tell_if_cut(len(found))


def _cells(dead: operations.OpenCommand) -> tuple[str, ...]:
    row = dead.row
    parked_at = terminal.moment(row.parked_at) if row.parked_at else ""
    return str(row.key), parked_at, name_of(dead), " ".join(row.error.split())


def _show(bus: MessageBus, options: argparse.Namespace) -> None:
    terminal.say_json(_entry(operations.dead_letter(bus, options.name)))


def _entry(dead: operations.OpenCommand) -> dict[str, Any]:
    row = dead.row
    return {
        "name": str(row.key),
        "command": dead.name,
        "known": dead.known,
        "command_id": row.command_id,
        "causation_id": row.context.causation_id,
        "correlation_id": row.context.correlation_id,
        "actor": row.context.actor,
        "attempts": row.attempts,
        "parked_at": shapes.utc(row.parked_at) if row.parked_at else None,
        "error": row.error,
        "data": dead.fields,
    }


def _replay(bus: MessageBus, options: argparse.Namespace) -> None:
    if options.name:
        operations.replay(bus, options.name)
        terminal.say(f"{options.name} is open again")
        return
    progress = terminal.Progress("replay", "dead letters")
    count = operations.replay_all(bus, options.command, progress)
    terminal.say(f"open again: {count:,}")


def _park(bus: MessageBus, options: argparse.Namespace) -> None:
    operations.park(bus, options.name)
    terminal.say(f"{options.name} is a dead letter")


def _drop(bus: MessageBus, options: argparse.Namespace) -> None:
    operations.drop(bus, options.name)
    terminal.say(f"{options.name} is gone")


DEAD_LETTERS = Subcommand(
    "dead-letters",
    "list, show, replay or drop what was given up, or give something up",
    _run,
    _arguments,
)
