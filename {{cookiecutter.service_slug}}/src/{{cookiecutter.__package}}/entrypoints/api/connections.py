"""Slow and hostile clients: time limits for uvicorn's connections, and a cap on their number.

uvicorn itself limits only how long a connection is idle between two requests.
"""

import asyncio
import errno
import sys
from collections import Counter
from http import HTTPStatus
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from ...bus import ConfigurationError
from ...observability import log
from . import problems

OWN_DESCRIPTORS = 100
"""File descriptors that are kept free for what is no connection: files, the store, and others."""

STOPPING_SECONDS = 2.0
"""When the server stops, a request that is half sent must arrive within this time."""

UNFINISHED = {h11.IDLE, h11.SEND_BODY}
"""The states of a client that has not sent a whole request."""


class Connections(ServerState):
    """What the connections of a server share: their limits, and which of them wait for their
    clients."""

    def __init__(self, limit: int, seconds: float) -> None:
        super().__init__()
        self.limit, self.seconds = limit, seconds
        self.waiting: dict[Connection, None] = {}  # the one that waits longest comes first
        self._cut_off: Counter[str] = Counter()

    def count(self, reason: str) -> None:
        """Log how many were cut off: one line a second, however many they are."""
        if not self._cut_off:
            asyncio.get_running_loop().call_later(1, self._log)
        self._cut_off[reason] += 1

    def _log(self) -> None:
        log.logger.warning("connections cut off", **self._cut_off)
        self._cut_off.clear()


class Connection(H11Protocol):
    """Has a time limit while it waits for its client: for a whole request to arrive, and for more
    of a whole answer to be read. Beyond the cap, a new connection takes the place of the one that
    waits longest. If all of them are at work, the new one is refused."""

    server_state: Connections
    _expiry: asyncio.TimerHandle | None = None
    _unread = 0

    # asyncio's protocol takes any transport; uvicorn's own method narrows it in the same way.
    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if len(self.connections) > self.server_state.limit:
            longest = next(iter(self.server_state.waiting), self)
            longest._cut(503, "there are too many connections", answer=longest is self)
        if not transport.is_closing():
            self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._unwatch()

    def handle_events(self) -> None:
        super().handle_events()
        self._watch()

    def on_response_complete(self) -> None:
        self._unwatch()
        super().on_response_complete()
        self._watch()

    def shutdown(self) -> None:
        super().shutdown()
        self.server_state.seconds = min(self.server_state.seconds, STOPPING_SECONDS)
        self._unwatch()
        self._watch()

    def _watch(self) -> None:
        """Start the time limit if it is the client's turn, stop it if it is not."""
        unread = self.transport.get_write_buffer_size()
        if self.conn.their_state not in UNFINISHED and not unread:
            self._unwatch()
            return
        self.server_state.waiting.setdefault(self)
        # Between two requests, uvicorn's own limit counts (KEEP_ALIVE_SECONDS).
        is_idle = self.timeout_keep_alive_task is not None and not unread
        if self._expiry is None and not is_idle:
            self._unread = unread
            self._expiry = self.loop.call_later(self.server_state.seconds, self._expire)

    def _unwatch(self) -> None:
        self.server_state.waiting.pop(self, None)
        if self._expiry is not None:
            self._expiry.cancel()
            self._expiry = None

    def _expire(self) -> None:
        self._expiry = None
        if self.transport.get_write_buffer_size() < self._unread:
            self._watch()  # the client reads, though slowly
        else:
            self._cut(408, "the request did not arrive in time")

    def _cut(self, status: int, detail: str, *, answer: bool = False) -> None:
        """Answer if a request has begun to arrive, or if asked to, and close at once: `close` would
        wait until the client has read everything."""
        if self.cycle is None or self.cycle.response_complete:
            answer = answer or bool(self.conn.trailing_data[0])
        else:
            answer = not self.cycle.response_started
        if answer:
            self.transport.write(self._problem(status, detail))
        self.transport.abort()
        self.connections.discard(self)
        self._unwatch()
        self.server_state.count("too_slow" if status == HTTPStatus.REQUEST_TIMEOUT else "too_many")

    def _problem(self, status: int, detail: str) -> bytes:
        answer = problems.response(status, detail, headers={"Connection": "close"})
        line = b"HTTP/1.1 %d %b" % (status, HTTPStatus(status).phrase.encode())
        headers = [*self.server_state.default_headers, *answer.raw_headers]
        return b"\r\n".join([line, *map(b": ".join, headers), b"", bytes(answer.body)])


def reserve_descriptors(connections: int) -> None:
    """Raise the limit of file descriptors, as far as the process may, so that this many connections
    never use up all of them. Raises `ConfigurationError` if it may not."""
    if sys.platform == "win32":
        return
    import resource

    needed = connections + OWN_DESCRIPTORS
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= needed:
        return
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))
    except (ValueError, OSError):
        raise ConfigurationError(
            f"MAX_CONNECTIONS: {connections} connections need {needed} file descriptors, and the "
            f"limit is {hard}: lower the one, or raise the other (`ulimit -n`)"
        ) from None


def log_exhaustion(loop: asyncio.AbstractEventLoop) -> None:
    """Log that no file descriptor is left to accept a connection once a minute. asyncio would log a
    traceback for each attempt."""
    outages = log.Outages("server")

    def handle(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if isinstance(error, OSError) and error.errno in (errno.EMFILE, errno.ENFILE):
            outages.failed("accept", error)
        else:
            loop.default_exception_handler(context)

    loop.set_exception_handler(handle)
