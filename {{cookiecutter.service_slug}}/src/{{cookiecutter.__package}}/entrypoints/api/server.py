"""Serving HTTP with uvicorn: on a socket of its own, until SIGTERM or SIGINT."""

import asyncio
import math
import signal
import socket
from collections.abc import Callable
from concurrent.futures import Future
from threading import Thread, Timer
from types import FrameType

import uvicorn
from fastapi import FastAPI

from ...bus import ConfigurationError
from ...config import Settings
from ...observability import log
from ..worker import SIGNAL_SECONDS
from .app import from_environment
from .connections import Connection, Connections, log_exhaustion, reserve_descriptors
from .reload import watch

BACKLOG = 2048  # how many connections the system keeps until they are accepted


class _Server(uvicorn.Server):
    """Connection draining: after SIGTERM it is not ready, but still serves for `drain_seconds`. A
    second signal stops it at once."""

    def __init__(self, config: uvicorn.Config, settings: Settings) -> None:
        super().__init__(config)
        self.server_state = Connections(settings.max_connections, settings.request_seconds)
        self._drain_seconds, self._is_draining = settings.drain_seconds, False

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        log_exhaustion(asyncio.get_running_loop())
        await super().startup(sockets)
        for listener in sockets or []:
            listener.listen(BACKLOG)  # asyncio has set it to `backlog` of the configuration

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        app = self.config.app
        if isinstance(app, FastAPI):
            app.state.stopping = True
        if sig != signal.SIGTERM or not self._drain_seconds or self._is_draining:
            super().handle_exit(sig, frame)
            return
        self._is_draining = True
        exiting = Timer(self._drain_seconds, super().handle_exit, (sig, frame))
        exiting.daemon = True
        exiting.start()


def serve(
    settings: Settings,
    make_app: Callable[[], FastAPI] = from_environment,
    *,
    reload: bool = False,
) -> None:
    """Serve until SIGTERM or SIGINT. After SIGTERM, `/ready` says that it is not ready, and
    requests are still taken for DRAIN_SECONDS. Then requests in flight are answered, and the worker
    finishes its commands; either may take STOP_SECONDS. With `reload`, a process of its own serves
    `from_environment()`, and is started again when the code changes.

    Raises `ConfigurationError` if a setting is wrong, if MAX_CONNECTIONS is more than the system
    allows, or if it cannot listen on HOST:PORT.
    """
    reserve_descriptors(settings.max_connections)
    listener = listen(settings.host, settings.port)
    with listener:
        host, port = listener.getsockname()[:2]
        address = f"[{host}]" if ":" in host else host
        serving = {"url": f"http://{address}:{port}", "store": settings.store}
        if reload:
            log.logger.info("serving", **serving)
            watch(listener)
            return
        server = make_server(make_app(), settings)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, server.handle_exit)
        log.logger.info("serving", **serving)
        in_daemon_thread(lambda: server.run(sockets=[listener]))


def make_server(app: FastAPI, settings: Settings) -> uvicorn.Server:
    """A server of this application."""
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        lifespan="on",
        ws="none",
        server_header=False,
        http=Connection,
        timeout_keep_alive=settings.keep_alive_seconds,
        timeout_graceful_shutdown=math.ceil(settings.stop_seconds),
        # How many connections asyncio accepts in a row. Each must have the chance to be refused
        # before the next one takes a file descriptor.
        backlog=1,
    )
    return _Server(config, settings)


def in_daemon_thread(serve: Callable[[], None]) -> None:
    """Run it in a thread, and wait for it. Raises what it raises. Threads that it starts for
    requests are daemons, too: one that hangs does not keep the process from ending."""
    served: Future[None] = Future()

    def run() -> None:
        try:
            serve()
            served.set_result(None)
        except BaseException as error:  # it is raised again, in the main thread
            served.set_exception(error)

    thread = Thread(target=run, name="server", daemon=True)
    thread.start()
    while thread.is_alive():
        thread.join(SIGNAL_SECONDS)
    served.result()


def listen(host: str, port: int) -> socket.socket:
    """A socket to serve on. Raises `ConfigurationError` if it cannot listen on the address."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        reason = str(error.strerror).partition(" (while")[0]  # the message below names the address
        raise ConfigurationError(f"HOST, PORT: cannot listen on {host}:{port}: {reason}") from None
    # TCP_NODELAY, which connections inherit from the listener. Without it, the body of an answer
    # waits some 40 ms until the client has acknowledged the head. asyncio sets it itself, but only
    # for a socket that names its protocol.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener
