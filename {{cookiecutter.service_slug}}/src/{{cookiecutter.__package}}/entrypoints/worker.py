"""The worker: it runs the commands which a stop or a fault left behind, and keeps the read models.

Embedded, it is a thread beside the server; on its own, a process for any number of servers.
"""

import signal
from datetime import timedelta
from threading import Event, Thread

from .. import log
from ..bootstrap import make_bus
from ..bus import ConfigurationError, MessageBus, Worker
from ..config import Settings

INTERVAL = timedelta(seconds=1)
FRESHNESS = timedelta(seconds=0.25)
"""How often read models look for what is new."""


def work(bus: MessageBus, stop: Event, interval: timedelta = INTERVAL) -> None:
    """Run what is due until `stop` is set; the command under way is finished."""
    worker = Worker(bus, interval=interval)
    while not stop.is_set():
        try:
            worker.run(stop)
        except Exception as error:  # a worker that died in silence would leave all behind
            log.log_error(error)
            stop.wait(interval.total_seconds())


def project(bus: MessageBus, stop: Event, interval: timedelta = FRESHNESS) -> None:
    """Keep the read models up to date until `stop` is set."""
    while not stop.is_set():
        more = False
        for name, projector in bus.projectors.items():
            try:
                more = projector.subscription.advance() or more
            except Exception as error:  # one that fails holds back no other
                log.log_error(error, log.logger.bind(projection=name))
        if not more:
            stop.wait(interval.total_seconds())


class EmbeddedWorker:
    """Runs beside the server, and with it: one thread for commands, one for read models. Stopping it
    finishes the command under way."""

    def __init__(self, bus: MessageBus, *, interval: timedelta = INTERVAL) -> None:
        self._stop = Event()
        often = min(interval, FRESHNESS)
        self._threads = [
            Thread(target=work, args=(bus, self._stop, interval), name="worker"),
            Thread(target=project, args=(bus, self._stop, often), name="projector"),
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
    worker = EmbeddedWorker(bus)
    worker.start()
    stop.wait()
    worker.stop()
    bus.store.close()
