"""The worker: runs the pending commands that are due.

A worker claims a command before it runs it: a conditional write counts the attempt. So only one of
any number of workers runs an attempt. A command that kills its process has its attempts counted
too, and is parked after the last one, like any other that fails.

A command that this release does not know stays open, and no attempt is counted: while a new release
is rolled out, workers of the old one meet commands of the new one.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from threading import Event

import msgspec

from ..model.errors import UnknownEvent
from ..store.pending import PendingCommand, PendingKey
from .message_bus import MessageBus

LIMIT = 1000
REPORT_AFTER = timedelta(minutes=10)
"""A command that nobody knows for so long is reported, and again each time so much has passed."""

Report = Callable[[PendingCommand, UnknownEvent], None]
"""A callback that is given a command that stays open because this release does not know it."""


class Worker:
    """Runs due commands, each stream's in order, until told to stop. Any number may run at once.

    `report` is told of a command that has been due for ten minutes, and that this release does not
    know.
    """

    def __init__(
        self,
        bus: MessageBus,
        *,
        interval: timedelta = timedelta(seconds=1),
        report: Report = lambda _pending, _error: None,
    ) -> None:
        self._bus, self._interval, self._report = bus, interval, report
        self._report_at: dict[PendingKey, datetime] = {}

    def run(self, stop: Event) -> None:
        """Run due commands again and again, until `stop` is set. The command under way is finished.

        Raises `StoreUnavailable` when the store does not answer: the commands stay due.
        """
        while not stop.is_set():
            if not self.run_once(stop):
                stop.wait(self._interval.total_seconds())

    def run_once(self, stop: Event | None = None) -> int:
        """Run what is due now. Returns how many commands it attempted."""
        due = self._bus.store.due(self._bus.clock.now(), LIMIT)
        streams = dict.fromkeys([key.stream_id for key in due])
        return sum(self._run_stream(stream_id, stop) for stream_id in streams)

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
            held_back = held_back or not goes_on
        return attempted

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
            return False
        return True
