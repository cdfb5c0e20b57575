"""`pending`: shows the open commands, what each waits for, and until when."""

import argparse
from typing import Any

from ...bus import operations
from ...config import Settings
from .. import shapes
from . import terminal
from .subcommand import Subcommand, opened, takes_json

HEADER = ("command", "name", "waits for", "until")
WAITS_FOR = {
    "worker": "a worker: it is due",
    "due time": "its due time",
    "next attempt": "its next attempt",
    "earlier command": "an earlier command",
    "release": "a release that knows it",
}


def _pending(settings: Settings, options: argparse.Namespace) -> None:
    with opened(settings) as bus:
        found = operations.pending(bus, unreadable=_tell)
    if options.json:
        terminal.say_json({"pending": [_entry(each) for each in found]})
    else:
        terminal.say_table(HEADER, map(_cells, found))
    tell_if_cut(len(found))


def _tell(stream_id: str, error: Exception) -> None:
    terminal.tell(f"{stream_id} cannot be read: {terminal.line(error)}")


def tell_if_cut(shown: int) -> None:
    """Say on standard error, beside JSON as well, when a listing may not be all."""
    if shown >= operations.COUNTED:
        terminal.tell(f"these are the first {shown:,}: there may be more")


def name_of(command: operations.OpenCommand) -> str:
    """The name of the command, marked if this code does not know it."""
    return command.name if command.known else f"{command.name} (unknown)"


def _cells(waiting: operations.Waiting) -> tuple[str, ...]:
    reason = WAITS_FOR[waiting.waits_for]
    if waiting.behind:
        reason = f"{reason}, {waiting.behind}"
    return name_of(waiting), str(waiting.row.key), reason, terminal.moment(waiting.until)


def _entry(waiting: operations.Waiting) -> dict[str, Any]:
    row = waiting.row
    return {
        "name": str(row.key),
        "command": waiting.name,
        "known": waiting.known,
        "command_id": row.command_id,
        "correlation_id": row.context.correlation_id,
        "actor": row.context.actor,
        "attempts": row.attempts,
        "waits_for": waiting.waits_for,
        "behind": str(waiting.behind) if waiting.behind else None,
        "until": shapes.utc(waiting.until),
    }


PENDING = Subcommand("pending", "show what waits, for what, and until when", _pending, takes_json)
