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
from collections import deque
from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from threading import Condition, Event
from time import monotonic

import msgspec

from ..model.errors import StoreUnavailable, UnknownEvent
from ..model.messages import Command
from ..store.pending import PendingCommand, PendingKey
from .message_bus import MessageBus
from .supervisor import WATCH_SECONDS, SupervisedThread, is_given_up

STREAMS_PER_THREAD = 8
"""A worker fetches at most so many streams for each of its threads, in random order."""

LONGEST_SKIP = 16
"""While very many streams are due, a worker skips a random number of slices, at most so many, so
that workers do not meet. Every fourth time it skips none, and so sees the new ones, too."""

SLICE_LASTS, PASS_LASTS = timedelta(seconds=1), timedelta(seconds=10)
"""After so long, a worker looks at what is due anew, or ends a pass of `run_once`."""

AWAKE_SECONDS, AWAKE_INTERVAL = 10.0, 0.1
"""For so long after it has found something, a worker looks for more at this interval."""

AWHILE = timedelta(minutes=1)
"""For so long, a worker does not look at a stream again that it could not read, or whose command it
does not know."""

SHUT_OUT = timedelta(seconds=1)
"""For so long, it does not look again at a stream whose command may not begin now."""

REMEMBERED = 10_000
"""How many streams that have failed a worker remembers."""

REPORT_AFTER = timedelta(minutes=10)
"""A command that nobody knows for so long is reported, and again each time so much has passed."""

Report = Callable[[PendingCommand, UnknownEvent], None]
"""A callback that is given a command that stays open because this release does not know it."""

Faulty = Callable[[str, Exception], None]
"""A callback that is given the id of a stream whose commands cannot be run, and the error."""

Outage = Callable[[Exception | None], None]
"""A callback that is given the error when a worker could not look for what is due, and None each
time that it could."""


def _print_fault(_stream_id: str, error: Exception) -> None:
    traceback.print_exception(error)


def _print(error: Exception | None) -> None:
    if error:
        traceback.print_exception(error)


class Worker:
    """Runs due commands, each stream's in order, until told to stop. Any number may run at once.

    `run` has as many threads as the bus's supervisor says, and looks at least every `interval` for
    what is due. `report` is told of a command that has been due for ten minutes, and that this
    release does not know. `faulty` is told of a stream whose commands cannot be run, once a minute,
    `outage` of a store that does not answer.
    """

    def __init__(
        self,
        bus: MessageBus,
        *,
        interval: timedelta = timedelta(seconds=1),
        report: Report = lambda _pending, _error: None,
        faulty: Faulty = _print_fault,
        outage: Outage = _print,
    ) -> None:
        self._bus, self._interval = bus, interval.total_seconds()
        self._report, self._faulty, self._outage = report, faulty, outage
        self._report_at: dict[PendingKey, datetime] = {}
        self._set_aside: dict[str, datetime] = {}  # for each stream, until when
        self._failed: set[str] = set()
        self._looks, self._slices = 0, 1
        self._most = bus.supervisor.threads * STREAMS_PER_THREAD
        # What follows is of `run`, and its threads change it under this lock.
        self._changed = Condition()
        self._threads: set[SupervisedThread] = set()
        self._woken: deque[str] = deque(maxlen=self._most)
        self._slice: deque[str] = deque()
        self._running: set[str] = set()
        self._again: set[str] = set()
        self._is_looking, self._has_lookout, self._picks = False, False, 0
        self._look_at = self._awake_until = 0.0
        self._stale_at = bus.clock.now()

    def run(self, stop: Event) -> None:
        """Run due commands in threads of the bus's supervisor, until `stop` is set. Commits of this
        bus wake them at once. Commands under way are finished, or given up at their time limit. If
        the store does not answer, they stay due."""
        with self._bus.waking(self._wake):
            while not stop.is_set():
                self._start_threads(stop)
                stop.wait(WATCH_SECONDS)
            while left := [each for each in self._threads if each.is_alive()]:
                if all(each.supervised.is_given_up for each in left):
                    return
                with self._changed:
                    self._changed.notify_all()
                left[0].join(WATCH_SECONDS / len(left))

    def run_once(self, stop: Event | None = None, ends_at: datetime | None = None) -> int:
        """Run what is due now in this thread, each stream once, for about `PASS_LASTS` at most. No
        command begins whose time limit reaches beyond `ends_at`, when this process may be ended.
        Returns how many commands it attempted. Raises `StoreUnavailable`."""
        now = self._bus.clock.now
        began, seen, attempted, is_all = now(), set[str](), 0, False
        while not is_all and now() < began + PASS_LASTS:
            streams, is_all = self._look(seen)
            looked = now()
            for stream_id in streams:
                if stop is not None and stop.is_set():
                    return attempted
                if now() > looked + SLICE_LASTS:
                    is_all = False
                    break
                seen.add(stream_id)
                attempted += self._try_stream(stream_id, stop, ends_at)
        return attempted

    def _start_threads(self, stop: Event) -> None:
        """Start the threads that are missing: those that have ended are replaced, and for each one
        that is slow there is another."""
        with self._changed:
            self._threads = {each for each in self._threads if each.is_alive()}
            slow = sum(each.supervised.is_slow() for each in self._threads)
            missing = self._bus.supervisor.threads + slow - len(self._threads)
            if missing < 0:
                self._changed.notify_all()
            for _ in range(missing):
                thread = SupervisedThread(
                    self._bus.supervisor, target=self._work, args=(stop,), name="worker"
                )
                self._threads.add(thread)
                thread.start()

    def _work(self, stop: Event) -> None:
        """What a thread does: run one stream after another, and look when it is time to."""
        while (stream_id := self._next(stop)) is not None:
            if not stream_id:
                self._fetch()
                continue
            try:
                self._try_stream(stream_id, stop)
            except StoreUnavailable as error:
                self._pause(error)
            finally:
                with self._changed:
                    self._running.discard(stream_id)
                    if stream_id in self._again:
                        self._again.discard(stream_id)
                        self._woken.appendleft(stream_id)

    def _next(self, stop: Event) -> str | None:
        """Wait for the next stream to run. An empty name if it is time to look, None if this thread
        is to end."""
        with self._changed:
            while not (stop.is_set() or self._is_one_too_many()):
                wait = self._look_at - monotonic()
                if wait <= 0 and not self._is_looking and self._needs_slice():
                    self._is_looking = True
                    return ""
                if stream_id := self._pick():
                    self._running.add(stream_id)
                    self._changed.notify()  # perhaps this one was on the lookout
                    return stream_id
                self._wait(wait if wait > 0 else WATCH_SECONDS)
        return None

    def _wait(self, seconds: float) -> None:
        """Wait for a change. One thread is on the lookout, and waits no longer than this."""
        if self._has_lookout:
            self._changed.wait()
            return
        self._has_lookout = True
        self._changed.wait(seconds)
        self._has_lookout = False

    def _is_one_too_many(self) -> bool:
        wanted = self._bus.supervisor.threads
        if len(self._threads) <= wanted:
            return False
        return sum(not each.supervised.is_slow() for each in self._threads) > wanted

    def _needs_slice(self) -> bool:
        return not self._slice or self._bus.clock.now() > self._stale_at

    def _pick(self) -> str | None:
        """The next stream that no thread runs: mostly one that was woken, the last first, and every
        fourth time one of the slice."""
        self._picks += 1
        woken_first = self._picks % 4 != 0
        for streams in (self._woken, self._slice) if woken_first else (self._slice, self._woken):
            while streams:
                stream_id = streams.popleft()
                if stream_id not in self._running:
                    return stream_id
                self._again.add(stream_id)
        return None

    def _fetch(self) -> None:
        """Look for streams that are due, and make them the slice."""
        try:
            streams, _ = self._look(self._running)
        except Exception as error:  # a thread that ended would leave all commands undone
            self._pause(error)
            with self._changed:
                self._is_looking = False
        else:
            self._cut_slice(streams)

    def _cut_slice(self, streams: list[str]) -> None:
        with self._changed:
            self._outage(None)
            self._is_looking, self._slice = False, deque(streams)
            self._stale_at = self._bus.clock.now() + SLICE_LASTS
            now = monotonic()
            if streams:
                self._awake_until = now + AWAKE_SECONDS
            elif now < self._awake_until:
                self._look_at = now + min(AWAKE_INTERVAL, self._interval)
            else:
                self._look_at = now + self._interval
            self._changed.notify_all()

    def _pause(self, error: Exception) -> None:
        """The store does not answer: report it, and look again after the interval."""
        with self._changed:
            self._outage(error)
            self._woken.clear()
            self._slice.clear()
            self._look_at = monotonic() + self._interval

    def _wake(self, streams: Collection[str]) -> None:
        with self._changed:
            for stream_id in streams:
                if stream_id in self._running:
                    self._again.add(stream_id)
                elif stream_id not in self._woken:
                    self._woken.appendleft(stream_id)
            self._changed.notify(len(streams))

    def _look(self, seen: Collection[str]) -> tuple[list[str], bool]:
        """Streams to run next, not those of `seen`, and whether these are all. Those that have
        failed come last, but every fourth time: new ones do not wait behind them."""
        now = self._bus.clock.now()
        for stream_id, until in list(self._set_aside.items()):
            if until <= now:
                self._set_aside.pop(stream_id, None)
        self._looks += 1
        limit, skip = self._most, 0
        if self._looks % 4:
            skip = limit * random.randrange(self._slices)  # noqa: S311 - no secret
        while True:
            due = self._bus.store.due(now, limit, skip)
            streams = [each for each in due if each not in seen and each not in self._set_aside]
            if streams or (len(due) < limit and not skip):
                break
            limit, skip = limit if skip else 4 * limit, 0
        is_cut = len(due) >= limit or len(streams) > self._most
        self._slices = min(2 * self._slices, LONGEST_SKIP) if is_cut else 1
        random.shuffle(streams)
        failed_first = self._looks % 4 == 0
        streams.sort(key=lambda stream_id: (stream_id in self._failed) != failed_first)
        return streams[: self._most], not is_cut and not skip

    def _try_stream(
        self, stream_id: str, stop: Event | None, ends_at: datetime | None = None
    ) -> int:
        """Run a stream's open commands. An error is that stream's, and is reported, except when the
        store does not answer."""
        try:
            return self._run_stream(stream_id, stop, ends_at)
        except StoreUnavailable:
            self._note(stream_id, goes_on=False)  # a lock on one of its rows, perhaps
            raise
        except Exception as error:
            self._set_aside[stream_id] = self._bus.clock.now() + AWHILE
            self._faulty(stream_id, error)
            return 0

    def _run_stream(self, stream_id: str, stop: Event | None, ends_at: datetime | None) -> int:
        """Run a stream's open commands, in order. A command that is not due, or that fails, holds
        back the in-order commands after it. Those out of order wait for no other, and come last."""
        attempted, held_back = 0, False
        rows = self._bus.store.pending(stream_id)
        for pending in sorted(rows, key=lambda row: not row.in_order):
            if stop is not None and stop.is_set():
                break
            if held_back and pending.in_order:
                continue
            claim, goes_on = self._claim(pending, ends_at)
            if claim:
                goes_on = self._bus.run_pending(claim)
                attempted += 1
                self._note(stream_id, goes_on=goes_on)
                if is_given_up():
                    break
            held_back = held_back or not goes_on
        return attempted

    def _note(self, stream_id: str, *, goes_on: bool) -> None:
        if goes_on:
            self._failed.discard(stream_id)
        elif len(self._failed) < REMEMBERED:
            self._failed.add(stream_id)

    def _claim(
        self, pending: PendingCommand, ends_at: datetime | None
    ) -> tuple[PendingCommand | None, bool]:
        """Claim the command. Returns it with this attempt counted, or None if this worker must not
        run it now. If None, the second value says whether the later commands of its stream may
        run."""
        bus, now = self._bus, self._bus.clock.now()
        if pending.due_at > now:
            return None, False
        command = self._known(pending, now)
        if command is None:
            return None, False
        if pending.attempts >= bus.dispatch.attempts:  # the last one never ended: its process died
            return None, bus.park(pending, f"gave up after {pending.attempts} attempts")
        if not bus.supervisor.admits(command):
            self._set_aside[pending.key.stream_id] = now + SHUT_OUT
            return None, False
        if ends_at and now + bus.dispatch.limit_of(command) > ends_at:
            return None, False
        attempts = pending.attempts + 1
        due_at = now + bus.dispatch.claim_of(command, attempts)
        is_claimed = bus.store.claim(pending, due_at)
        claimed = msgspec.structs.replace(pending, attempts=attempts, due_at=due_at)
        return claimed if is_claimed else None, False

    def _known(self, pending: PendingCommand, now: datetime) -> type[Command] | None:
        """The type of the command, if this release knows it."""
        try:
            (command,) = self._bus.codecs.commands.decode(pending.payload)
        except UnknownEvent as error:
            report_at = self._report_at.setdefault(pending.key, pending.due_at + REPORT_AFTER)
            if report_at <= now:
                self._report(pending, error)
                self._report_at[pending.key] = now + REPORT_AFTER
            self._set_aside[pending.key.stream_id] = now + AWHILE
            return None
        return type(command)
