"""The worker: runs the pending commands that are due.

Each attempt is counted before it begins, by a conditional write that is also the claim to it. So of
any number of workers one gets it, and a command that kills its process is parked in the end like any
other that fails.
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
        """Look for due commands again and again, until `stop` is set. The one under way is finished.

        Raises `StoreUnavailable` when the store is out of reach: what is due stays due.
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
        """A stream's open commands, in order; one that is not due, or fails, holds back those after
        it. A command out of order waits for none."""
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
        """The command with this attempt counted, or None if this worker is not to run it now. In the
        second case, the other value says whether its stream may go on all the same."""
        now, dispatch = self._bus.clock.now(), self._bus.dispatch
        if pending.due_at > now:
            return None, False
        if pending.attempts >= dispatch.attempts:  # the last one never came back
            parked = self._bus.park(pending, f"gave up after {pending.attempts} attempts")
            return None, parked
        due_at = now + dispatch.wait_after(pending.attempts + 1)
        if not self._bus.store.claim(pending, due_at):
            return None, False
        return msgspec.structs.replace(pending, attempts=pending.attempts + 1, due_at=due_at), False
