"""The worker: runs the pending commands that are due.

A worker claims a command before it runs it: a conditional write counts the attempt. So only one of
any number of workers runs an attempt. A command that kills its process has its attempts counted
too, and is parked after the last one, like any other that fails.

A command that this release does not know stays open, and no attempt is counted: while a new release
is rolled out, workers of the old one meet commands of the new one.

A fault of one stream is that stream's: a row that cannot be read, for example. It is reported, and
the other streams go on.
"""

import random
import traceback
from collections.abc import Callable
from datetime import datetime, timedelta
from threading import Event

import msgspec

from ..model.errors import StoreUnavailable, UnknownEvent
from ..store.pending import PendingCommand, PendingKey
from .message_bus import MessageBus

SMALLEST, LARGEST = 16, 512
"""A worker looks at a window of so many of the streams that are due, and runs a random half of
them, so that workers do not meet. The window doubles while the half is run in `SLICE_LASTS`. If it
is not, the smallest is next: what is not run soon is out of date by then."""

SLICE_LASTS, PASS_LASTS = timedelta(seconds=1), timedelta(seconds=10)
"""After so long, a worker looks at what is due anew, or begins a new pass over all of it."""

AWHILE = timedelta(minutes=1)
"""For so long, a worker does not look at a stream again that it could not read, or whose command it
does not know."""

FAILED_LATELY = timedelta(days=1)
"""For so long after a failure, a stream mostly comes after those without one: longer than it takes
to try all of very many."""

REPORT_AFTER = timedelta(minutes=10)
"""A command that nobody knows for so long is reported, and again each time so much has passed."""

Report = Callable[[PendingCommand, UnknownEvent], None]
"""A callback that is given a command that stays open because this release does not know it."""

Faulty = Callable[[str, Exception], None]
"""A callback that is given the id of a stream whose commands cannot be run, and the error."""


def _print(_stream_id: str, error: Exception) -> None:
    traceback.print_exception(error)


class Worker:
    """Runs due commands, each stream's in order, until told to stop. Any number may run at once.

    `report` is told of a command that has been due for ten minutes, and that this release does not
    know. `faulty` is told of a stream whose commands cannot be run, once a minute.
    """

    def __init__(
        self,
        bus: MessageBus,
        *,
        interval: timedelta = timedelta(seconds=1),
        report: Report = lambda _pending, _error: None,
        faulty: Faulty = _print,
    ) -> None:
        self._bus, self._interval, self._report, self._faulty = bus, interval, report, faulty
        self._report_at: dict[PendingKey, datetime] = {}
        # for each stream, until when this is remembered
        self._set_aside: dict[str, datetime] = {}
        self._failed: dict[str, datetime] = {}
        self._window, self._looks = SMALLEST, 0

    def run(self, stop: Event) -> None:
        """Run due commands again and again, until `stop` is set. The command under way is finished.

        Raises `StoreUnavailable` when the store does not answer: the commands stay due.
        """
        while not stop.is_set():
            if not self.run_once(stop):
                stop.wait(self._interval.total_seconds())

    def run_once(self, stop: Event | None = None) -> int:
        """Run what is due now, each stream once, for about `PASS_LASTS` at most. Returns how many
        commands it attempted."""
        now = self._bus.clock.now
        began, seen, attempted = now(), set[str](), 0
        self._set_aside = {name: until for name, until in self._set_aside.items() if until > began}
        self._failed = {name: until for name, until in self._failed.items() if until > began}
        is_all = False
        while not is_all and now() < began + PASS_LASTS:
            streams, is_all = self._look(seen)
            looked = now()
            for stream_id in streams:
                if stop is not None and stop.is_set():
                    return attempted
                if now() > looked + SLICE_LASTS:
                    is_all, self._window = False, SMALLEST
                    break
                seen.add(stream_id)
                attempted += self._try_stream(stream_id, stop)
            else:
                self._window = min(2 * self._window, LARGEST)
        return attempted

    def _look(self, seen: set[str]) -> tuple[list[str], bool]:
        """The streams to run next, not those of `seen`, and whether these are all. Streams that
        have failed lately come last, but every fourth time: new ones do not wait behind them."""
        skipped, limit = seen | self._set_aside.keys(), self._window
        while True:
            due = self._bus.store.due(self._bus.clock.now(), limit)
            streams = [stream_id for stream_id in due if stream_id not in skipped]
            if streams or len(due) < limit:
                break
            limit *= 4
        random.shuffle(streams)
        self._looks += 1
        failed_first = self._looks % 4 == 0
        streams.sort(key=lambda stream_id: (stream_id in self._failed) != failed_first)
        is_all = len(due) < limit
        return streams if is_all else streams[: self._window // 2], is_all

    def _try_stream(self, stream_id: str, stop: Event | None) -> int:
        """Run a stream's open commands. An error is that stream's, and is reported, except when the
        store does not answer."""
        try:
            return self._run_stream(stream_id, stop)
        except StoreUnavailable:
            self._note(stream_id, goes_on=False)  # a lock on one of its rows, perhaps
            raise
        except Exception as error:
            self._set_aside[stream_id] = self._bus.clock.now() + AWHILE
            self._faulty(stream_id, error)
            return 0

    def _run_stream(self, stream_id: str, stop: Event | None) -> int:
        """Run a stream's open commands, in order. A command that is not due, or that fails, holds
        back the in-order commands after it. Those out of order wait for no other, and come last."""
        attempted, held_back = 0, False
        rows = self._bus.store.pending(stream_id)
        for pending in sorted(rows, key=lambda row: not row.in_order):
            if stop is not None and stop.is_set():
                break
            if held_back and pending.in_order:
                continue
            claim, goes_on = self._claim(pending)
            if claim:
                goes_on = self._bus.run_pending(claim)
                attempted += 1
                self._note(stream_id, goes_on=goes_on)
            held_back = held_back or not goes_on
        return attempted

    def _note(self, stream_id: str, *, goes_on: bool) -> None:
        if goes_on:
            self._failed.pop(stream_id, None)
        else:
            self._failed[stream_id] = self._bus.clock.now() + FAILED_LATELY

    def _claim(self, pending: PendingCommand) -> tuple[PendingCommand | None, bool]:
        """Claim the command. Returns it with this attempt counted, or None if this worker must not
        run it now. If None, the second value says whether the later commands of its stream may
        run."""
        now, dispatch = self._bus.clock.now(), self._bus.dispatch
        if pending.due_at > now or not self._is_known(pending, now):
            return None, False
        if pending.attempts >= dispatch.attempts:  # the last attempt never ended: its process died
            parked = self._bus.park(pending, f"gave up after {pending.attempts} attempts")
            return None, parked
        due_at = now + dispatch.wait_after(pending.attempts + 1)
        if not self._bus.store.claim(pending, due_at):
            return None, False
        return msgspec.structs.replace(pending, attempts=pending.attempts + 1, due_at=due_at), False

    def _is_known(self, pending: PendingCommand, now: datetime) -> bool:
        try:
            self._bus.codecs.commands.decode(pending.payload)
        except UnknownEvent as error:
            report_at = self._report_at.setdefault(pending.key, pending.due_at + REPORT_AFTER)
            if report_at <= now:
                self._report(pending, error)
                self._report_at[pending.key] = now + REPORT_AFTER
            self._set_aside[pending.key.stream_id] = now + AWHILE
            return False
        return True
