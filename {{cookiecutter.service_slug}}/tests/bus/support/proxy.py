"""A TCP proxy in front of a server, which keeps what clients send, and freezes on demand."""

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Event, Thread

LONGEST = 3.0
"""How many seconds it stays frozen at most, so that a test of a call without a limit ends."""


class Proxy:
    """Forwards each connection to one that `connect` makes."""

    def __init__(self, connect: Callable[[], socket.socket]) -> None:
        self._connect = connect
        self._flowing = Event()
        self._flowing.set()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.sent = bytearray()

    def freeze(self) -> None:
        """Take what is sent and forward nothing, like a server whose process has stopped."""
        self._flowing.clear()

    def thaw(self) -> None:
        """Go on, with what was held back."""
        self._flowing.set()

    def accept(self) -> None:
        """Serve connections until `close`."""
        with suppress(OSError):
            while True:
                client = self._listener.accept()[0]
                server = self._connect()
                for pump in (self._to_server, self._to_client):
                    Thread(target=pump, args=(client, server), daemon=True).start()

    def close(self) -> None:
        """Accept no more connections."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _to_server(self, client: socket.socket, server: socket.socket) -> None:
        with suppress(OSError), client:
            while data := client.recv(65536):
                self.sent += data
                self._flowing.wait(LONGEST)
                server.sendall(data)
        with suppress(OSError):
            server.shutdown(socket.SHUT_RDWR)

    def _to_client(self, client: socket.socket, server: socket.socket) -> None:
        with suppress(OSError), server:
            while data := server.recv(65536):
                self._flowing.wait(LONGEST)
                client.sendall(data)
        with suppress(OSError):
            client.shutdown(socket.SHUT_RDWR)


@contextmanager
def proxy(connect: Callable[[], socket.socket]) -> Iterator[Proxy]:
    """A proxy on loopback, until the end of the block."""
    made = Proxy(connect)
    accepting = Thread(target=made.accept, daemon=True)
    accepting.start()
    try:
        yield made
    finally:
        made.thaw()
        made.close()
        accepting.join()
