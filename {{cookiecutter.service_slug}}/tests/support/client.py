"""An HTTP client of an app in this process, without a socket or a server."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
from fastapi import FastAPI


class Client:
    """Sends one request at a time. An exception that the app lets out fails the test."""

    def __init__(self, app: FastAPI, runner: asyncio.Runner) -> None:
        transport = httpx.ASGITransport(app)
        self._client = httpx.AsyncClient(transport=transport, base_url="http://service")
        self._runner = runner

    def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        return self._runner.run(self._client.request(method, path, **options))

    def get(self, path: str, **options: Any) -> httpx.Response:
        return self.request("GET", path, **options)

    def post(self, path: str, json: Any = None, **options: Any) -> httpx.Response:
        return self.request("POST", path, json=json, **options)


@contextmanager
def client_of(app: FastAPI) -> Iterator[Client]:
    """The client, until the end of the block."""
    with asyncio.Runner() as runner:
        yield Client(app, runner)
