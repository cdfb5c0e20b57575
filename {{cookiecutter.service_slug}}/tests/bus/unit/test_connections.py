"""The limits of connections, as far as they need no server. A client that reads slowly is
simulated: on a socket, the buffers of the system would hide it."""

import asyncio
import resource
from typing import Any

import pytest
import uvicorn

from {{ cookiecutter.__package }}.bus import ConfigurationError
from {{ cookiecutter.__package }}.config import Settings
from {{ cookiecutter.__package }}.entrypoints.api import server
from {{ cookiecutter.__package }}.entrypoints.api.connections import (
    OWN_DESCRIPTORS,
    Connection,
    Connections,
    reserve_descriptors,
)

SECONDS = 20.0
OF_NOBODY = "203.0.113.1"  # an address for documentation (RFC 5737): nobody can listen on it


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


def test_more_connections_than_the_system_allows_stop_the_start() -> None:
    with pytest.raises(ConfigurationError, match="MAX_CONNECTIONS: 2000000000 connections need"):
        server.serve(Settings(max_connections=2_000_000_000, host=OF_NOBODY))


def test_the_limit_of_descriptors_is_raised_as_far_as_is_needed() -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (OWN_DESCRIPTORS + 50, before[1]))
        reserve_descriptors(60)
        assert resource.getrlimit(resource.RLIMIT_NOFILE) == (OWN_DESCRIPTORS + 60, before[1])
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
