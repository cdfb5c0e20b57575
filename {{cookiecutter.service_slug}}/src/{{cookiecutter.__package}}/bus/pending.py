"""What was left open: a worker runs the pending commands that are due."""

from datetime import datetime, timedelta
from threading import Event

from .errors import DuplicateCommand
from .message_bus import MessageBus
from .store import PendingCommand


class Worker:
    """Runs due follow-ups, each stream's in order, until told to stop.

    It holds no claim: if another runs the same command, one commit consumes it and the other stops.
    A stream in which a command failed rests, twice as long after each failure, up to `longest_rest`.
    """

    def __init__(
        self,
        bus: MessageBus,
        *,
        interval: timedelta = timedelta(seconds=1),
        longest_rest: timedelta = timedelta(minutes=5),
    ) -> None:
        self._bus, self._interval, self._longest_rest = bus, interval, longest_rest
        self._resting: dict[str, tuple[datetime, timedelta]] = {}

    def run(self, stop: Event) -> None:
        """Look for due commands again and again, until `stop` is set. The one under way is finished.

        Raises `StoreUnavailable` when the store is out of reach: what is due stays due.
        """
        while not stop.is_set():
            if not self.run_once(stop):
                stop.wait(self._interval.total_seconds())

    def run_once(self, stop: Event | None = None) -> int:
        """Run what is due now. Returns how many commands took effect."""
        now = self._bus.clock.now()
        done = 0
        for stream_id in dict.fromkeys([key.stream_id for key in self._bus.store.due(now)]):
            if self._resting.get(stream_id, (now, None))[0] <= now:
                done += self._run_stream(stream_id, now, stop)
        return done

    def _run_stream(self, stream_id: str, now: datetime, stop: Event | None) -> int:
        done = 0
        for pending in self._bus.store.pending(stream_id):
            if pending.due_at > now or (stop is not None and stop.is_set()):
                break
            if not self._run_one(pending):
                self._rest(stream_id)
                break
            self._resting.pop(stream_id, None)
            done += 1
        return done

    def _run_one(self, pending: PendingCommand) -> bool:
        try:
            self._bus.run_pending(pending)
        except DuplicateCommand:  # another run of it was faster: it is done
            return True
        except Exception:  # the middleware has seen it; the pending command stays in the store
            return False
        return True

    def _rest(self, stream_id: str) -> None:
        _, last = self._resting.get(stream_id, (None, self._interval / 2))
        rest = min(last * 2, self._longest_rest)
        self._resting[stream_id] = (self._bus.clock.now() + rest, rest)
