"""An HTTP proxy in front of AWS on loopback, which cuts connections and answers with errors."""

from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import urlsplit
from zlib import crc32

THROTTLED = b'{"__type": "ProvisionedThroughputExceededException", "message": "too much"}'
FAILED = b'{"__type": "InternalServerError", "message": "it failed"}'


class WireFault(Enum):
    """What goes wrong with a request, and whether it was executed then."""

    CUT_BEFORE = ("cut before it is sent on", False)
    CUT_AFTER = ("cut in place of the answer", True)
    CUT_WITHIN = ("cut in the middle of the answer", True)
    FAILED = ("answered with 500", True)
    THROTTLED = ("throttled", False)

    def __init__(self, text: str, executed: bool) -> None:
        self.text, self.executed = text, executed


class Wire(ThreadingHTTPServer):
    """The proxy. `fault` happens to the request after the next `skip` ones."""

    daemon_threads = True

    def __init__(self, url: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.upstream = urlsplit(url).netloc
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.requests = 0
        self._fault: WireFault | None = None
        self._skip = 0

    def fail(self, fault: WireFault, skip: int = 0) -> None:
        """Let this fault happen, once."""
        self._fault, self._skip = fault, skip

    def next_fault(self) -> WireFault | None:
        """The fault of the request that has come."""
        self.requests += 1
        if self._skip or not self._fault:
            self._skip = max(0, self._skip - 1)
            return None
        fault, self._fault = self._fault, None
        return fault


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # or the body would wait some 40 ms, until the head is known
    server: Wire

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        fault = self.server.next_fault()
        if fault is WireFault.THROTTLED:
            self._answer(400, THROTTLED)
        elif fault is WireFault.CUT_BEFORE:
            self.close_connection = True
        else:
            self._answer(*self._forwarded(body), fault)

    def _forwarded(self, body: bytes) -> tuple[int, bytes]:
        upstream = HTTPConnection(self.server.upstream)
        upstream.request("POST", self.path, body, dict(self.headers))
        answer = upstream.getresponse()
        found = (answer.status, answer.read())
        upstream.close()
        return found

    def _answer(self, status: int, body: bytes, fault: WireFault | None = None) -> None:
        if fault is WireFault.FAILED:
            status, body = 500, FAILED
        if fault is WireFault.CUT_AFTER:
            self.close_connection = True
            return
        self.send_response(status)
        self.send_header("Content-Type", "application/x-amz-json-1.0")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("x-amz-crc32", str(crc32(body)))
        self.end_headers()
        if fault is WireFault.CUT_WITHIN:
            body, self.close_connection = body[: len(body) // 2], True
        self.wfile.write(body)

    def log_message(self, format: str, *_arguments: object) -> None:  # noqa: A002 - its name there
        """Nothing is printed."""


@contextmanager
def wire(url: str) -> Iterator[Wire]:
    """A proxy in front of `url`, until the end of the block."""
    proxy = Wire(url)
    thread = Thread(target=proxy.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield proxy
    finally:
        proxy.shutdown()
        thread.join()
        proxy.server_close()
