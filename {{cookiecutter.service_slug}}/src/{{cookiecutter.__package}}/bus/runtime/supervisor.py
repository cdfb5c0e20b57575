"""The supervisor: threads in which attempts run, and what becomes of an attempt that hangs.

Python cannot end a thread. So an attempt that takes longer than its command's time limit is given
up: it is reported, whoever waits for it goes on, and its thread ends when the call that hangs
returns. Bulkhead: while `threads` attempts are slow, no more commands of their types begin. So no
outside system that hangs takes all threads (M. Nygard, *Release It!*, 2018).
"""

from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from contextvars import copy_context
from queue import Empty, SimpleQueue
from threading import Lock, Thread, current_thread, get_ident
from time import monotonic, sleep

from ..model.messages import Command
from ..store.pending import PendingCommand

SLOW_SECONDS = 0.5
"""An attempt that takes longer is slow: another thread takes the place of its own."""

WATCH_SECONDS = 0.1
"""How often the supervisor looks at its threads."""

IDLE_SECONDS = 10.0
"""For so long, a thread without a task waits for one before it ends."""

GivenUp = Callable[[Command, PendingCommand, float], None]
"""A callback that is told of an attempt that was given up: its command, its row, and for how many
seconds it has been running."""


class Attempt:
    """One attempt to run a pending command. `limit` is in seconds."""

    __slots__ = ("began", "command", "is_given_up", "limit", "pending")

    def __init__(self, command: Command, pending: PendingCommand, limit: float) -> None:
        self.command, self.pending, self.limit = command, pending, limit
        self.began, self.is_given_up = monotonic(), False

    def lasts(self) -> float:
        """For how many seconds it has been running."""
        return monotonic() - self.began


class Task:
    """What a thread does for a caller that waits for it."""

    def __init__(self, job: Callable[[], None]) -> None:
        self._job, self._context = job, copy_context()
        self._error: BaseException | None = None
        self._waited_for = Lock()
        self._waited_for.acquire()

    def run(self) -> None:
        try:
            self._context.run(self._job)
        except BaseException as error:
            self._error = error
        self.release()

    def release(self) -> None:
        """Let the caller go on."""
        with suppress(RuntimeError):  # it has gone on already
            self._waited_for.release()

    def wait(self) -> None:
        """Return when the task is done, or given up. Raises what the job raises."""
        self._waited_for.acquire()
        if self._error:
            raise self._error


class SupervisedThread(Thread):
    """A thread whose attempts have a time limit. `target` is run in it."""

    attempt: Attempt | None = None
    task: Task | None = None
    is_given_up = False

    def is_slow(self) -> bool:
        """Whether it takes long, or is given up."""
        attempt = self.attempt
        return self.is_given_up or (attempt is not None and attempt.lasts() > SLOW_SECONDS)


class _TaskThread(SupervisedThread):
    """A thread that runs tasks. Between them it is in the list `idle`."""

    def __init__(self, idle: "list[_TaskThread]") -> None:
        super().__init__(name="follow-ups", daemon=True)
        self.tasks, self._idle = SimpleQueue[Task](), idle

    def run(self) -> None:
        while True:
            try:
                self.task = self.tasks.get(timeout=IDLE_SECONDS)
            except Empty:
                try:
                    self._idle.remove(self)
                except ValueError:  # it was taken from the list just now: its task is on the way
                    continue
                return
            self.task.run()
            self.task = None
            if self.is_given_up:
                return
            self._idle.append(self)


class Supervisor:
    """Supervises the threads of one process. `threads` is the number of threads of a worker, and of
    slow attempts at which the bulkhead closes. At most `callers` threads wait at the same time for
    follow-ups that run inline, so that a server has others left.

    `on_given_up` is told of each attempt that is given up; it must not raise.
    """

    def __init__(
        self, *, threads: int = 8, callers: int = 32, on_given_up: GivenUp | None = None
    ) -> None:
        self.threads, self._callers, self._on_given_up = threads, callers, on_given_up
        self._idle: list[_TaskThread] = []
        self._places: set[int] = set()
        self._lock = Lock()
        self._watched: set[SupervisedThread] = set()
        self._slow: Counter[type[Command]] = Counter()

    def admits(self, command: type[Command]) -> bool:
        """Whether a command of this type may begin now: not while too many are slow, its own type
        among them."""
        return not self._slow or command not in self._slow or self._slow.total() < self.threads

    def admits_inline(self, command: type[Command]) -> bool:
        """Whether a command of this type may run inline. If so, this thread has a place among the
        callers from now on, until it calls `leave`."""
        if not self.admits(command):
            return False
        caller = get_ident()
        if caller in self._places or isinstance(current_thread(), SupervisedThread):
            return True
        with self._lock:
            if len(self._places) >= self._callers:
                return False
            self._places.add(caller)
        return True

    def leave(self) -> None:
        """Give up this thread's place among the callers, if it has one."""
        self._places.discard(get_ident())

    def shut_out(self) -> list[str]:
        """The names of the commands that may not begin now."""
        return sorted(each.__name__ for each in self._slow if not self.admits(each))

    def call(self, job: Callable[[], None]) -> None:
        """Run the job in another thread. Returns when it is done, or when an attempt of it is given
        up. Raises what the job raises. In a supervised thread, it runs there."""
        if isinstance(current_thread(), SupervisedThread):
            job()
            return
        task = Task(job)
        try:
            thread = self._idle.pop()
        except IndexError:
            thread = _TaskThread(self._idle)
            self.start(thread)
        thread.tasks.put(task)
        task.wait()

    def start(self, thread: SupervisedThread) -> None:
        """Start the thread, and watch it until it ends."""
        with self._lock:
            thread.start()
            self._watched.add(thread)
            if len(self._watched) == 1:
                Thread(target=self._watch, name="supervisor", daemon=True).start()

    def _watch(self) -> None:
        while True:
            sleep(WATCH_SECONDS)
            with self._lock:
                self._watched = {each for each in self._watched if each.is_alive()}
                watched = list(self._watched)
                if not watched:
                    self._slow = Counter()
                    return
            slow: Counter[type[Command]] = Counter()
            for thread in watched:
                attempt = thread.attempt
                if attempt and attempt.lasts() > SLOW_SECONDS:
                    slow[type(attempt.command)] += 1
                    if attempt.lasts() > attempt.limit and not attempt.is_given_up:
                        self._give_up(thread, attempt)
            self._slow = slow

    def _give_up(self, thread: SupervisedThread, attempt: Attempt) -> None:
        attempt.is_given_up = thread.is_given_up = True
        task = thread.task
        if self._on_given_up:
            self._on_given_up(attempt.command, attempt.pending, attempt.lasts())
        if task:
            task.release()


def is_given_up() -> bool:
    """Whether this thread has been given up."""
    thread = current_thread()
    return isinstance(thread, SupervisedThread) and thread.is_given_up


def begin(command: Command, pending: PendingCommand, limit: float) -> None:
    """An attempt begins in this thread. If the thread is supervised, the attempt has a limit."""
    thread = current_thread()
    if isinstance(thread, SupervisedThread):
        thread.attempt = Attempt(command, pending, limit)


def end() -> None:
    """The attempt in this thread has ended."""
    thread = current_thread()
    if isinstance(thread, SupervisedThread):
        thread.attempt = None
