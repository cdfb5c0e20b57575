"""What an operator does on the command line: see how it stands, follow events, rebuild a read model."""

import argparse
import json
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from ...bootstrap import make_bus
from ...bus import ConfigurationError, MessageBus, PendingKey, RecordedEvent
from ...config import Settings
from ...observability import log
from .. import shapes

COUNTED = 1000  # more than this is shown as "over 1000"
FOREVER = datetime.max.replace(tzinfo=UTC)
POLL_SECONDS = 0.5
BAR = 30


def status(settings: Settings, _options: argparse.Namespace) -> None:
    """Print how many commands are open and parked, and how far behind the read models are."""
    bus = _quiet_bus(settings)
    try:
        open_, due = (bus.store.due(until, COUNTED + 1) for until in (FOREVER, bus.clock.now()))
        print(f"commands   {_count(open_)} open, {_count(due)} due{_since(bus, due)}")
        print(f"           {_count(bus.store.parked(COUNTED + 1))} parked (see dead-letters)")
        for name, subscription in bus.subscriptions.items():
            behind = subscription.lag(COUNTED + 1)
            late = f", the oldest for {_seconds(bus, behind[0].recorded_at)}" if behind else ""
            print(f"read model {name}: {_count(behind)} commits behind{late}")
    finally:
        bus.store.close()


def feed(settings: Settings, options: argparse.Namespace) -> None:
    """Print events as they are committed, until SIGTERM or SIGINT; with `all`, from the first one on."""
    bus = _quiet_bus(settings)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        for recorded in _follow(bus, everything=options.all, go_on=not options.once):
            print(_as_json(recorded) if options.json else line(recorded), flush=True)
    except (KeyboardInterrupt, BrokenPipeError):
        sys.stderr.close()  # the reader has gone, or has seen enough: not a word more
    finally:
        bus.store.close()


def rebuild(settings: Settings, options: argparse.Namespace) -> None:
    """Make a read model anew while the old one is served, and show how far it is."""
    bus = _quiet_bus(settings)
    try:
        projector = bus.projectors.get(options.name)
        if projector is None:
            known = ", ".join(bus.projectors)
            raise ConfigurationError(f"there is no read model {options.name!r}; there is {known}")
        projector.rebuild(Progress(options.name))
    finally:
        bus.store.close()


class Progress:
    """A bar on a terminal, a line at each tenth elsewhere; on standard error."""

    def __init__(self, name: str, unit: str = "commits") -> None:
        self._name, self._unit = name, unit
        self._tenth, self._live = -1, sys.stderr.isatty()

    def __call__(self, done: int, total: int) -> None:
        share = done / total if total else 1.0
        text = f"{self._name}: {share:4.0%}  {done:,} of {total:,} {self._unit}"
        if self._live:
            filled = int(BAR * share)
            bar = "█" * filled + "░" * (BAR - filled)
            print(f"\r{bar} {text}", end="\n" if done == total else "", file=sys.stderr, flush=True)
        elif int(share * 10) > self._tenth:
            self._tenth = int(share * 10)
            print(text, file=sys.stderr, flush=True)


def line(recorded: RecordedEvent) -> str:
    """An event in one line, its data shortened."""
    entry = shapes.history_entry(recorded)
    data = json.dumps(entry.data, ensure_ascii=False)
    shortened = data if len(data) <= 80 else data[:79] + "…"
    return f"{entry.recorded_at}  {recorded.command} → {entry.type}  {shortened}"


def _as_json(recorded: RecordedEvent) -> str:
    entry = vars(shapes.history_entry(recorded))
    return json.dumps({"stream_id": recorded.stream_id, **entry}, ensure_ascii=False)


def _follow(bus: MessageBus, *, everything: bool, go_on: bool) -> Iterator[RecordedEvent]:
    checkpoint = None if everything else bus.store.end()
    while True:
        page = bus.store.feed(checkpoint)
        checkpoint = page.checkpoint
        for commit in page.commits:
            yield from bus.codecs.recorded(commit)
        if not page.more:
            if not go_on:
                return
            time.sleep(POLL_SECONDS)


def _quiet_bus(settings: Settings) -> MessageBus:
    """What goes wrong is said in one line: no second one from the log."""
    quiet = settings.model_copy(update={"log_level": "error"})
    log.configure(quiet)
    return make_bus(quiet)


def _count(found: Sequence[object]) -> str:
    return str(len(found)) if len(found) <= COUNTED else f"over {COUNTED}"


def _since(bus: MessageBus, due: list[PendingKey]) -> str:
    """For how long the first of these has been due."""
    rows = [row for key in due[:1] for row in bus.store.pending(key.stream_id) if row.key == key]
    return "".join(f", the oldest for {_seconds(bus, row.due_at)}" for row in rows)


def _seconds(bus: MessageBus, moment: datetime) -> str:
    return f"{max(0.0, (bus.clock.now() - moment).total_seconds()):,.1f} s"
