"""The worker: threads beside the server, or in a process of their own for any number of servers.

Each runner in `RUNNERS` of `bootstrap.py` gets a thread. A runner is a function of the settings,
the bus and an event; it returns once the event is set.
"""

import signal
from collections.abc import Callable
from datetime import timedelta
from importlib import import_module
from threading import Event, Thread

from ..bootstrap import RUNNERS, make_bus
from ..bus import ConfigurationError, MessageBus, Worker, follow
from ..config import Settings
from ..observability import log

Runner = Callable[[Settings, MessageBus, Event], None]

INTERVAL = timedelta(seconds=1)
"""How often the worker looks for commands that are due."""

FRESHNESS = timedelta(seconds=0.25)
"""How often subscribers, the read models among them, look for new commits."""


def run_pending(_settings: Settings, bus: MessageBus, stop: Event) -> None:
    """Run the commands that are due until `stop` is set; the command under way is finished."""
    worker = Worker(bus, interval=INTERVAL, report=log.unknown_command)
    while not stop.is_set():
        try:
            worker.run(stop)
        except Exception as error:  # a thread that ended would leave all commands undone
            log.log_error(error)
            stop.wait(INTERVAL.total_seconds())


def run_subscriptions(_settings: Settings, bus: MessageBus, stop: Event) -> None:
    """Keep the read models and the other subscribers up to date until `stop` is set."""
    interval = min(INTERVAL, FRESHNESS).total_seconds()
    follow(list(bus.subscriptions.values()), stop, interval, log.subscriber_failed)


def runners() -> list[Runner]:
    """The functions that `RUNNERS` names."""
    found = []
    for name in RUNNERS:
        module, _, function = name.partition(":")
        found.append(getattr(import_module(f".{module}", __package__), function))
    return found


class EmbeddedWorker:
    """Runs the runners in threads beside the server. `stop` lets the command under way finish."""

    def __init__(self, settings: Settings, bus: MessageBus) -> None:
        self._stop = Event()
        self._threads = [
            Thread(target=runner, args=(settings, bus, self._stop), name=runner.__name__)
            for runner in runners()
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Returns when the threads have ended."""
        self._stop.set()
        for thread in self._threads:
            thread.join()


def run(settings: Settings) -> None:
    """Work in this process until SIGTERM or SIGINT.

    Raises `ConfigurationError` for a store that no other process can see.
    """
    if settings.store == "memory":
        raise ConfigurationError("STORE=memory is of one process: its worker is the embedded one")
    bus = make_bus(settings)
    stop = Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    log.logger.info("working", store=settings.store)
    worker = EmbeddedWorker(settings, bus)
    worker.start()
    stop.wait()
    worker.stop()
    bus.store.close()
