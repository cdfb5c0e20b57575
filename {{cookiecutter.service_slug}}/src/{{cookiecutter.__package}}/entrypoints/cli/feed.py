"""`feed`: follows the events of all aggregates, live."""

import argparse
import signal
import sys
import time
from collections.abc import Iterator

from ...bus import MessageBus, operations
from ...config import Settings
from . import events, terminal
from .subcommand import Subcommand, opened, takes_json

POLL_SECONDS = 0.5


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--all", action="store_true", help="from the first event on")
    parser.add_argument("--once", action="store_true", help="end when there is no more")
    takes_json(parser, "a JSON object a line")


def _feed(settings: Settings, options: argparse.Namespace) -> None:
    """Runs until SIGTERM or SIGINT: both are a normal end."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with opened(settings) as bus:
        try:
            for listed in _follow(bus, everything=options.all, go_on=not options.once):
                if options.json:
                    terminal.say_json(events.with_stream(listed), indent=None)
                else:
                    terminal.say_row(events.cells(listed))
                sys.stdout.flush()
        except KeyboardInterrupt:
            return


def _follow(bus: MessageBus, *, everything: bool, go_on: bool) -> Iterator[operations.Listed]:
    checkpoint = None if everything else bus.store.end()
    while True:
        page = bus.store.feed(checkpoint)
        checkpoint = page.checkpoint
        for commit in page.commits:
            yield from operations.listed(bus, commit)
        if not page.more:
            if not go_on:
                return
            time.sleep(POLL_SECONDS)


FEED = Subcommand("feed", "follow events live, until interrupted", _feed, _arguments)
