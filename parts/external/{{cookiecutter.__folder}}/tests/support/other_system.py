"""Another system, on loopback: it answers as a test has told it."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any, NamedTuple

import pytest


class Answer(NamedTuple):
    """What it says. Without a status, it drops the connection."""

    status: int | None
    body: bytes = b""
    headers: Mapping[str, str] = {}
    hangs: bool = False
    """It says nothing, and keeps the connection open."""
    drips: bool = False
    """It sends the body a byte at a time, over and over."""


class OtherSystem:
    """Gives its answers in turn, the last one for ever, and keeps what it was asked."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.answers: list[Answer] = []
        self.asked: list[str] = []

    def next(self, path: str) -> Answer:
        self.asked.append(path)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@contextmanager
def other_system() -> Iterator[OtherSystem]:
    """A server, until the end of the block."""
    stopped = Event()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            with suppress(OSError):  # who asked has gone
                self.answer(system.next(self.path))

        def answer(self, answer: Answer) -> None:
            if answer.hangs:
                stopped.wait()
            if answer.status is None or stopped.is_set():
                return
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer.body)
            while answer.drips and not stopped.is_set():
                self.wfile.write(answer.body[:1])
                time.sleep(0.01)

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
