"""The worker: runs the pending commands that are due.

A worker claims a command before it runs it: a conditional write counts the attempt. So only one of
any number of workers runs an attempt. A command that kills its process has its attempts counted
too, and is parked after the last one, like any other that fails.
"""

from datetime import timedelta
from threading import Event

import msgspec

from ..store.pending import PendingCommand
from .message_bus import MessageBus

LIMIT = 1000


class Worker:
    """Runs due commands, each stream's in order, until told to stop. Any number may run at once."""

    def __init__(self, bus: MessageBus, *, interval: timedelta = timedelta(seconds=1)) -> None:
        self._bus, self._interval = bus, interval

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
        back the in-order commands after it. A command out of order waits for no other."""
        attempted, held_back = 0, False
        for pending in self._bus.store.pending(stream_id):
            if stop is not None and stop.is_set():
                break
            if held_back and pending.in_order:
                continue
            claim, goes_on = self._claim(pending)
            if claim:
                goes_on = self._bus.run_pending(claim)
                attempted += 1
            held_back = held_back or (pending.in_order and not goes_on)
        return attempted

    def _claim(self, pending: PendingCommand) -> tuple[PendingCommand | None, bool]:
        """Claim the command. Returns it with this attempt counted, or None if this worker must not
        run it now. If None, the second value says whether the later commands of its stream may
        run."""
        now, dispatch = self._bus.clock.now(), self._bus.dispatch
        if pending.due_at > now:
            return None, False
        if pending.attempts >= dispatch.attempts:  # the last attempt never ended: its process died
            parked = self._bus.park(pending, f"gave up after {pending.attempts} attempts")
            return None, parked
        due_at = now + dispatch.wait_after(pending.attempts + 1)
        if not self._bus.store.claim(pending, due_at):
            return None, False
        return msgspec.structs.replace(pending, attempts=pending.attempts + 1, due_at=due_at), False
