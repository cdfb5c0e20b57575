"""`correlated`: shows all events of one correlation id."""

import argparse

from ...bus import operations
from ...config import Settings
from . import events, terminal
from .subcommand import Refusal, Subcommand, opened, takes_json

HEADER = (events.HEADER[0], "event", *events.HEADER[1:])


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("id", metavar="ID", help="the correlation id, as `history --json` shows it")
    takes_json(parser)


def _correlated(settings: Settings, options: argparse.Namespace) -> None:
    with opened(settings) as bus:
        found = operations.correlated(bus, options.id, Scan())
    if not found:
        raise Refusal(f"no event has the correlation id {options.id!r}")
    if options.json:
        shown = [{**events.with_stream(each), "command": each.command} for each in found]
        terminal.say_json({"events": shown})
    else:
        terminal.say_table(HEADER, map(_cells, found))


def _cells(listed: operations.Listed) -> tuple[str, ...]:
    recorded_at, *rest = events.cells(listed)
    return recorded_at, listed.event_id, *rest


class Scan:
    """Shows the progress of a slow search. A search by an index is complete at its first report,
    and shows nothing."""

    def __init__(self) -> None:
        self._progress: terminal.Progress | None = None

    def __call__(self, done: int, total: int) -> None:
        if done < total and self._progress is None:
            self._progress = terminal.Progress("correlated", "items")
        if self._progress:
            self._progress(done, total)


CORRELATED = Subcommand(
    "correlated",
    "show all events of one correlation id, of every aggregate",
    _correlated,
    _arguments,
)
