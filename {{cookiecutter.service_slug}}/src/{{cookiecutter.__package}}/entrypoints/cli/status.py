"""`status`: counts the open commands and dead letters, names the commands that nobody begins, and
says how far each subscription is behind."""

import argparse
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta

from ...bus import MessageBus, operations
from ...config import Settings
from .. import shapes
from . import (
    terminal,
)
from .pending import name_of
from .status_line import Line
from .subcommand import Refusal, Subcommand, opened, takes_json

OVERDUE_MINUTES = 5
"""When `--strict` says that something waits for too long, if it is given no number."""

WHY_NOT_BEGUN = "no worker runs, or calls that hang hold its threads, or it has fallen behind"
"""What it may mean that commands are due and not begun. The log of a worker whose threads are held
has lines `given up`."""


def _commands(_settings: Settings, bus: MessageBus) -> Iterator[Line]:
    work = operations.work(bus)
    yield Line(
        "commands",
        f"{_count(work.open)} open, {_count(work.due)} due{_since(bus, work.due_since)}",
        {"open": work.open, "due": work.due, "due_since": _utc(work.due_since)},
        since=work.due_since,
    )
    unreadable = dict(work.unreadable)
    yield from _not_begun(bus, operations.not_begun(bus, unreadable=unreadable.__setitem__))
    yield Line(
        "dead letters",
        f"{_count(work.parked)} parked{_since(bus, work.parked_since)}",
        {"parked": work.parked, "parked_since": _utc(work.parked_since)},
        wrong=work.parked > 0,
    )
    if unreadable:
        texts = {stream_id: terminal.line(error) for stream_id, error in unreadable.items()}
        first, why = next(iter(texts.items()))
        text = f"{len(texts)}, the first is {first}: {why}"
        yield Line("streams not readable", text, texts, wrong=True)


def _not_begun(bus: MessageBus, found: list[operations.Waiting]) -> Iterator[Line]:
    """A line that names these commands, if there are any."""
    if not found:
        return
    more = len({each.row.key.stream_id for each in found}) >= operations.NOT_BEGUN_STREAMS
    count = Counter(map(name_of, found))
    since = {name_of(each): each.until for each in reversed(found)}
    words = [f"{count[name]} {name}{_since(bus, since[name])}" for name in sorted(count)]
    text = f"{'at least ' if more else ''}{'; '.join(words)}: {WHY_NOT_BEGUN}"
    figures = {name: {"count": count[name], "due_since": _utc(since[name])} for name in count}
    yield Line(
        "commands not begun", text, {"commands": figures, "more": more}, since=found[0].until
    )


def _subscriptions(_settings: Settings, bus: MessageBus) -> Iterator[Line]:
    for lag in operations.lags(bus):
        kind = "read model" if lag.name in bus.projectors else "subscriber"
        yield Line(
            f"{kind} {lag.name}",
            f"{_count(lag.behind)} commits behind{_since(bus, lag.since)}",
            {"behind": lag.behind, "since": _utc(lag.since)},
            since=lag.since,
        )


def _feed(_settings: Settings, bus: MessageBus) -> Iterator[Line]:
    if holders := bus.store.holders():
        yield Line("feed", f"held back by {'; '.join(holders)}", {"held_back_by": holders})


LINES: tuple[Callable[[Settings, MessageBus], Iterable[Line]], ...] = (  # from the top
    _commands,
    _subscriptions,
    _feed,
)


def _arguments(parser: argparse.ArgumentParser) -> None:
    takes_json(parser)
    parser.add_argument(
        "--strict",
        metavar="MINUTES",
        nargs="?",
        type=_minutes,
        const=OVERDUE_MINUTES,
        help="exit with 1 if there is a dead letter, or if a command has been due, or a read model "
        f"or subscriber behind, for longer than this ({OVERDUE_MINUTES})",
    )


def _minutes(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) < 7):
        raise argparse.ArgumentTypeError("must be a whole number of minutes")
    return int(text)


def _status(settings: Settings, options: argparse.Namespace) -> None:
    with opened(settings) as bus:
        lines = [line for of in LINES for line in of(settings, bus)]
        now = bus.clock.now()
    if options.json:
        terminal.say_json({line.label: line.figures for line in lines})
    else:
        for line in lines:
            terminal.say(f"{line.label}: {line.text}")
    if options.strict is not None:
        early = now - timedelta(minutes=options.strict)
        wrong = [each for each in lines if each.wrong or (each.since and each.since < early)]
        if wrong:
            sys.stdout.flush()  # the lines above come before the one on standard error
            raise Refusal("; ".join(f"{each.label}: {each.text}" for each in wrong))


def _count(number: int) -> str:
    return str(number) if number <= operations.COUNTED else f"over {operations.COUNTED}"


def _since(bus: MessageBus, moment: datetime | None) -> str:
    if moment is None:
        return ""
    return f", the oldest for {max(0.0, (bus.clock.now() - moment).total_seconds()):,.1f} s"


def _utc(moment: datetime | None) -> str | None:
    return shapes.utc(moment) if moment else None


STATUS = Subcommand(
    "status", "show what is open, and how far the read models are", _status, _arguments
)
