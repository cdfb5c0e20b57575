"""How long a connection waits for a client that reads slowly: on a socket, the system's own buffers
would hide it."""

import asyncio
from typing import Any

import uvicorn

from {{ cookiecutter.__package }}.entrypoints.api.connections import Connection, Connections

SECONDS = 20.0


class Loop(asyncio.SelectorEventLoop):
    """Its time passes only when it is told to."""

    now = 0.0

    def time(self) -> float:
        return self.now

    async def go_on(self, seconds: float) -> None:
        self.now += seconds
        for _ in range(3):
            await asyncio.sleep(0)


class Reader(asyncio.Transport):
    """A client that has yet to read so many bytes."""

    unread = 0
    is_cut = False

    def write(self, data: Any) -> None:
        self.unread += len(data)

    def get_write_buffer_size(self) -> int:
        return self.unread

    def is_closing(self) -> bool:
        return self.is_cut

    def abort(self) -> None:
        self.is_cut = True


async def answer(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"x" * 1000})


async def reads_slowly(loop: Loop) -> None:
    config = uvicorn.Config(answer, log_config=None, lifespan="off")
    connection, reader = Connection(config, Connections(1, SECONDS), {}), Reader()
    connection.connection_made(reader)
    connection.data_received(b"GET / HTTP/1.1\r\nHost: service\r\n\r\n")
    await loop.go_on(0)
    for _ in range(3):
        reader.unread -= 1
        await loop.go_on(SECONDS)
    assert not reader.is_cut
    await loop.go_on(SECONDS)
    assert reader.is_cut


def test_a_client_that_reads_slowly_is_cut_off_when_it_reads_no_more() -> None:
    loop = Loop()
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        runner.run(reads_slowly(loop))
