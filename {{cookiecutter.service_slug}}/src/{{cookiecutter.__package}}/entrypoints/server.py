"""Serving HTTP with uvicorn: on a socket of its own, until SIGTERM or SIGINT."""

import signal
import socket
from collections.abc import Callable
from pathlib import Path

import uvicorn
from fastapi import FastAPI
from uvicorn.supervisors import ChangeReload

from .. import log
from ..bus import ConfigurationError
from ..config import Settings
from .api.app import from_environment

PACKAGE = Path(__file__).parent.parent


def serve(
    settings: Settings,
    make_app: Callable[[], FastAPI] = from_environment,
    *,
    reload: bool = False,
) -> None:
    """Serve until told to stop: requests in flight are answered, the worker finishes its command.

    Raises `ConfigurationError` if a setting is wrong or HOST:PORT cannot be had.
    """
    listener = _listen(settings.host, settings.port)
    with listener:
        config = uvicorn.Config(
            f"{make_app.__module__}:{make_app.__qualname__}" if reload else make_app(),
            factory=reload,
            reload=reload,
            reload_dirs=[str(PACKAGE)] if reload else None,
            log_config=None,
            access_log=False,
            lifespan="on",
            ws="none",
            server_header=False,
        )
        server = uvicorn.Server(config)
        host, port = listener.getsockname()[:2]
        address = f"[{host}]" if ":" in host else host
        log.logger.info("serving", url=f"http://{address}:{port}", store=settings.store)
        if reload:
            ChangeReload(config, target=server.run, sockets=[listener]).run()
            return
        # uvicorn restores these handlers when it is done and raises the signal once more: a
        # stop that went well is no death by signal.
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, server.handle_exit)
        server.run(sockets=[listener])


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        reason = str(error.strerror).partition(" (while")[0]  # the address is in front already
        raise ConfigurationError(f"HOST, PORT: cannot listen on {host}:{port}: {reason}") from None
