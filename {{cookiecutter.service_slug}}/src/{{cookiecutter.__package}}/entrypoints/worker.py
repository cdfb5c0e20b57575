"""The worker: it runs the commands which a stop or a fault left behind.

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


def work(bus: MessageBus, stop: Event, interval: timedelta = INTERVAL) -> None:
    """Run what is due until `stop` is set; the command under way is finished."""
    worker = Worker(bus, interval=interval)
    while not stop.is_set():
        try:
            worker.run(stop)
        except Exception as error:  # a worker that died in silence would leave all behind
            log.log_error(error)
            stop.wait(interval.total_seconds())


class EmbeddedWorker:
    """Runs beside the server, and with it. Stopping it finishes the command under way."""

    def __init__(self, bus: MessageBus, *, interval: timedelta = INTERVAL) -> None:
        self._stop = Event()
        self._thread = Thread(target=work, args=(bus, self._stop, interval), name="worker")

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Returns when the thread has ended."""
        self._stop.set()
        self._thread.join()


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
    work(bus, stop)
    bus.store.close()
