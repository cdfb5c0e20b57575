"""The supervisor: gives up attempts that hang.

Python cannot end a thread. So an attempt that takes longer than its command's time limit is given
up: it is reported, whoever waits for it goes on, and its thread ends when the call that hangs
returns. Bulkhead: while `threads` attempts are slow, no more commands of their types begin. So no
outside system that hangs takes all threads (M. Nygard, *Release It!*, 2018).
"""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock, Thread, local
from time import monotonic, sleep
from typing import Any, Self

from ..model.messages import Command
from ..store.pending import PendingCommand

SLOW_SECONDS = 0.5
"""An attempt that takes longer is slow: a worker has another thread in place of its own."""

WATCH_SECONDS = 0.1
"""How often the supervisor looks at what it watches."""

IDLE_LOOKS = 100
"""After so many looks at nothing, the supervisor's own thread ends."""

GivenUp = Callable[[Command, PendingCommand, float], None]
"""A callback that is told of an attempt that was given up: its command, its row, and for how many
seconds it has been running. It must not raise."""

_here = local()


class Attempt:
    """One attempt to run a pending command. Within ``with``, this thread makes it; if what the
    thread runs is supervised, the attempt has a limit, in seconds."""

    __slots__ = ("began", "command", "is_given_up", "limit", "pending")

    def __init__(self, command: Command, pending: PendingCommand, limit: float) -> None:
        self.command, self.pending, self.limit = command, pending, limit
        self.began, self.is_given_up = monotonic(), False

    def __enter__(self) -> None:
        supervised = current()
        if supervised:
            supervised.attempt = self

    def __exit__(self, *_error: object) -> None:
        supervised = current()
        if supervised:
            supervised.attempt = None

    def lasts(self) -> float:
        """For how many seconds it has been running."""
        return monotonic() - self.began


class Supervised:
    """What runs in a thread, one attempt after another. Within ``with``, it is what this thread
    runs. `on_given_up` is called when an attempt of it is given up; it must not block."""

    def __init__(self, on_given_up: Callable[[], object] = lambda: None) -> None:
        self.attempt: Attempt | None = None
        self.is_given_up = False
        self.on_given_up = on_given_up

    def __enter__(self) -> Self:
        _here.supervised = self
        return self

    def __exit__(self, *_error: object) -> None:
        _here.supervised = None

    def is_slow(self) -> bool:
        """Whether it takes long, or is given up."""
        attempt = self.attempt
        return self.is_given_up or (attempt is not None and attempt.lasts() > SLOW_SECONDS)


class SupervisedRequest(Supervised):
    """A request, whose answer is known before its follow-ups run: within ``with``, `handle` returns
    at once, and they run when `finish` is called, or before the next message is handled."""

    def __init__(self, on_given_up: Callable[[], object]) -> None:
        super().__init__(on_given_up)
        self.place_of: Supervisor | None = None
        self._deferred: list[tuple[Supervisor, Callable[[], None]]] = []

    def __exit__(self, *error: object) -> None:
        super().__exit__(*error)
        self.leave()

    def defer(self, supervisor: "Supervisor", job: Callable[[], None]) -> None:
        """Run the job later."""
        self._deferred.append((supervisor, job))

    def finish(self) -> None:
        """Run what was deferred."""
        while self._deferred:
            supervisor, job = self._deferred.pop(0)
            with supervisor.watching(self):
                job()

    def leave(self) -> None:
        """Give up its place among the requests whose follow-ups run inline, if it has one."""
        if self.place_of:
            self.place_of.leave(self)


class SupervisedThread(Thread):
    """A thread whose attempts are supervised."""

    def __init__(self, supervisor: "Supervisor", **options: Any) -> None:
        super().__init__(daemon=True, **options)
        self.supervised, self._supervisor = Supervised(), supervisor

    def run(self) -> None:
        with self.supervised, self._supervisor.watching(self.supervised):
            super().run()


class Supervisor:
    """Supervises what runs in one process. `threads` is the number of threads of a worker, and of
    slow attempts at which the bulkhead closes. Follow-ups run inline for at most `requests` at the
    same time, so that a server has threads left for others.

    The bulkhead is soft: what has begun before enough attempts are slow may hang as well. So up to
    about 2 * `threads` + `requests` attempts of one command may. A hard bound would have to count
    those that merely wait too, since nobody knows yet which ones will hang.

    `on_given_up` is told of each attempt that is given up.
    """

    def __init__(
        self, *, threads: int = 8, requests: int = 32, on_given_up: GivenUp | None = None
    ) -> None:
        self.threads, self._requests, self._on_given_up = threads, requests, on_given_up
        self._lock = Lock()
        self._places: set[SupervisedRequest] = set()
        self._watched: set[Supervised] = set()
        self._is_watching = False
        self._slow: Counter[type[Command]] = Counter()

    def admits(self, command: type[Command]) -> bool:
        """Whether a command of this type may begin now: not while too many are slow, its own type
        among them."""
        return not self._slow or command not in self._slow or self._slow.total() < self.threads

    def admits_inline(self, command: type[Command]) -> bool:
        """Whether a command of this type may run inline. If so, the request of this thread has a
        place from now on."""
        if not self.admits(command):
            return False
        request = current()
        if not isinstance(request, SupervisedRequest) or request.place_of:
            return True
        with self._lock:
            if len(self._places) >= self._requests:
                return False
            self._places.add(request)
        request.place_of = self
        return True

    def leave(self, request: SupervisedRequest) -> None:
        """Take the request's place away."""
        self._places.discard(request)
        request.place_of = None

    def shut_out(self) -> list[str]:
        """The names of the commands that may not begin now."""
        return sorted(each.__name__ for each in self._slow if not self.admits(each))

    def call(self, job: Callable[[], None]) -> None:
        """Run the job, or put it off to the end of the request of this thread. Raises what the job
        raises."""
        supervised = current()
        if isinstance(supervised, SupervisedRequest):
            supervised.defer(self, job)
        elif supervised:
            job()
        else:
            with Supervised() as own, self.watching(own):
                job()

    @contextmanager
    def watching(self, supervised: Supervised) -> Iterator[None]:
        """Meanwhile, its attempts have a time limit."""
        self._watched.add(supervised)
        if not self._is_watching:
            self._start()
        try:
            yield
        finally:
            self._watched.discard(supervised)

    def _start(self) -> None:
        with self._lock:
            if not self._is_watching:
                self._is_watching = True
                Thread(target=self._watch, name="supervisor", daemon=True).start()

    def _watch(self) -> None:
        idle = 0
        while True:
            sleep(WATCH_SECONDS)
            slow: Counter[type[Command]] = Counter()
            for supervised in list(self._watched):
                attempt = supervised.attempt
                if attempt and attempt.lasts() > SLOW_SECONDS:
                    slow[type(attempt.command)] += 1
                    if attempt.lasts() > attempt.limit and not attempt.is_given_up:
                        self._give_up(supervised, attempt)
            self._slow = slow
            idle = 0 if self._watched else idle + 1
            if idle > IDLE_LOOKS:
                with self._lock:
                    self._is_watching = bool(self._watched)
                    if not self._is_watching:
                        return

    def _give_up(self, supervised: Supervised, attempt: Attempt) -> None:
        attempt.is_given_up = supervised.is_given_up = True
        if self._on_given_up:
            self._on_given_up(attempt.command, attempt.pending, attempt.lasts())
        if isinstance(supervised, SupervisedRequest):
            supervised.leave()
        supervised.on_given_up()


def current() -> Supervised | None:
    """What this thread runs, if that is supervised."""
    supervised: Supervised | None = getattr(_here, "supervised", None)
    return supervised


def finish_earlier() -> None:
    """Run what the request of this thread has put off, before another message is handled."""
    supervised = current()
    if isinstance(supervised, SupervisedRequest):
        supervised.finish()


def is_given_up() -> bool:
    """Whether what this thread runs has been given up."""
    supervised = current()
    return supervised is not None and supervised.is_given_up
