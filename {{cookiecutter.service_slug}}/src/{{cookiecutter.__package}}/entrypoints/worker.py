"""The worker: threads beside the server, or in a process of their own for any number of servers.

Each runner in `RUNNERS` of `bootstrap.py` gets a thread. A runner is a function of the settings,
the bus and an event; it returns once the event is set. If it ends before that, it is started again.
"""

import signal
import time
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from importlib import import_module
from threading import Event, Thread

from ..bootstrap import RUNNERS, make_bus, supervisor
from ..bus import ConfigurationError, MessageBus, Worker, follow
from ..config import Settings
from ..observability import log

Runner = Callable[[Settings, MessageBus, Event], None]

INTERVAL = timedelta(seconds=1)
"""How soon a runner that has ended is started again."""

SIGNAL_SECONDS = 0.25
"""How long the main thread waits at most before it handles a signal. One that arrives just before a
wait does not end it."""

FRESHNESS = timedelta(seconds=0.25)
"""How often the worker looks for commands that no commit of its process has woken it for, and
subscribers, the read models among them, for new commits."""


def run_pending(_settings: Settings, bus: MessageBus, stop: Event) -> None:
    """Run the commands that are due, in WORKER_THREADS threads, until `stop` is set; the commands
    under way are finished."""
    outages, name = log.Outages("runner"), run_pending.__name__
    Worker(
        bus,
        interval=min(INTERVAL, FRESHNESS),
        report=log.unknown_command,
        faulty=log.faulty_stream,
        outage=lambda error: outages.failed(name, error) if error else outages.works(name),
    ).run(stop)


def run_subscriptions(_settings: Settings, bus: MessageBus, stop: Event) -> None:
    """Keep the read models and the other subscribers up to date until `stop` is set."""
    interval, outages = min(INTERVAL, FRESHNESS).total_seconds(), log.Outages("subscriber")
    subscriptions = list(bus.subscriptions.values())
    follow(subscriptions, stop, interval, outages.failed, works=outages.works)


def runners() -> list[Runner]:
    """The functions that `RUNNERS` names."""
    found = []
    for name in RUNNERS:
        module, _, function = name.partition(":")
        found.append(getattr(import_module(f".{module}", __package__), function))
    return found


class RunnerEnded(Exception):
    """A runner ended, or raised an error, before it was told to stop."""


class _Supervised(Thread):
    """Keeps a runner going until `stop` is set. If the runner ends before that, an error is logged
    and the runner is started again after `INTERVAL`; meanwhile, `is_down` is true."""

    def __init__(self, runner: Runner, settings: Settings, bus: MessageBus, stop: Event) -> None:
        super().__init__(name=runner.__name__, daemon=True)
        self.is_down = False
        self._go_on = partial(runner, settings, bus, stop)
        self._told_to_stop = stop

    def run(self) -> None:
        outages = log.Outages("runner")
        while True:
            ended = RunnerEnded("it ended, and was not told to stop")
            try:
                self._go_on()
                if self._told_to_stop.is_set():
                    return
            except BaseException as error:  # nobody else sees what ends a thread
                ended = RunnerEnded(f"it raised {error!r}")
                ended.__cause__ = error
            self.is_down = True
            outages.failed(self.name, ended)
            if self._told_to_stop.wait(INTERVAL.total_seconds()):
                return
            self.is_down = False


class EmbeddedWorker:
    """Runs the runners in threads beside the server. `stop` lets the commands under way finish."""

    def __init__(self, settings: Settings, bus: MessageBus) -> None:
        self._stop, self._stop_seconds = Event(), settings.stop_seconds
        self._threads = [_Supervised(each, settings, bus, self._stop) for each in runners()]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def failed(self) -> list[str]:
        """The names of the runners that do not run, although they should."""
        return [each.name for each in self._threads if each.is_down or not each.is_alive()]

    def stop(self) -> None:
        """Returns when the threads have ended, or after STOP_SECONDS: then a command that hangs
        ends with the process, and stays due."""
        self._stop.set()
        until = time.monotonic() + self._stop_seconds
        for thread in self._threads:
            thread.join(max(0.0, until - time.monotonic()))
        if left := [thread.name for thread in self._threads if thread.is_alive()]:
            log.logger.error("stopped before it was done", runners=left)


def run(settings: Settings) -> None:
    """Work in this process until SIGTERM or SIGINT.

    Raises `ConfigurationError` for a store that no other process can see, and for an ALIVE_FILE
    that cannot be written.
    """
    if settings.store == "memory":
        raise ConfigurationError("STORE=memory is of one process: its worker is the embedded one")
    if settings.alive_file:
        try:
            settings.alive_file.touch()
        except OSError as error:
            raise ConfigurationError(f"ALIVE_FILE cannot be written: {error}") from error
    bus = make_bus(settings, supervisor=supervisor(settings))
    stop = Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    log.logger.info("working", store=settings.store)
    worker = EmbeddedWorker(settings, bus)
    worker.start()
    while not stop.wait(SIGNAL_SECONDS):
        if settings.alive_file and not worker.failed():
            settings.alive_file.touch()
    worker.stop()
    bus.store.close()
