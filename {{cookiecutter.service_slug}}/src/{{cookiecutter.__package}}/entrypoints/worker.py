"""The embedded worker: a thread that runs the commands which a stop or a fault left behind."""

from datetime import timedelta
from threading import Event, Thread

from .. import log
from ..bus import MessageBus, Worker

INTERVAL = timedelta(seconds=1)


class EmbeddedWorker:
    """Runs beside the server, and with it. Stopping it finishes the command under way."""

    def __init__(self, bus: MessageBus, *, interval: timedelta = INTERVAL) -> None:
        self._worker, self._interval = Worker(bus, interval=interval), interval
        self._stop = Event()
        self._thread = Thread(target=self._run, name="worker")

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Returns when the thread has ended."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._worker.run(self._stop)
            except Exception as error:  # a worker that died in silence would leave all behind
                log.log_error(error)
                self._stop.wait(self._interval.total_seconds())
