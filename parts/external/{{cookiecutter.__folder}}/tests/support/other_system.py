"""Another system, on loopback: it answers as a test has told it."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any, NamedTuple

import pytest

LONG = 10  # seconds: whoever waits for that has no time-out


class Answer(NamedTuple):
    """What it says. Without a status, it drops the connection."""

    status: int | None
    body: bytes = b""
    headers: Mapping[str, str] = {}
    hangs: bool = False
    """It says nothing, and keeps the connection open."""
    drips: bool = False
    """After the body it sends a space again and again."""


class OtherSystem:
    """Gives its answers in turn, the last one for ever, and keeps what it was asked: the paths of
    all requests, the headers of the last one."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.answers: list[Answer] = []
        self.asked: list[str] = []
        self.headers: Mapping[str, str] = {}

    def next(self, path: str, headers: Mapping[str, str]) -> Answer:
        self.asked.append(path)
        self.headers = headers
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@contextmanager
def other_system() -> Iterator[OtherSystem]:
    """A server, until the end of the block."""
    stopped = Event()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            with suppress(OSError):  # who asked has gone
                self.answer(system.next(self.path, dict(self.headers)))

        def answer(self, answer: Answer) -> None:
            if answer.hangs:
                stopped.wait(LONG)
            if answer.status is None or stopped.is_set():
                return
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer.body)
            ends = time.monotonic() + (LONG if answer.drips else 0)
            while time.monotonic() < ends and not stopped.wait(0.01):
                self.wfile.write(b" ")

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    system = OtherSystem(f"http://127.0.0.1:{server.server_port}/api")
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("NO_PROXY", "127.0.0.1")
        thread.start()
        try:
            yield system
        finally:
            stopped.set()
            server.shutdown()
            thread.join()
            server.server_close()
