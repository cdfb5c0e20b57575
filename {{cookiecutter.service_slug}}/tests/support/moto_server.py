"""AWS on loopback: moto's server, which checks conditions and transactions as AWS does."""

from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest
from moto.server import ThreadedMotoServer

REGION = "eu-central-1"


@contextmanager
def moto_server() -> Iterator[str]:
    """The URL of a server, with credentials for it in the environment. At the end it forgets
    everything, and so does any other of this process: moto keeps one memory for all."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("AWS_ACCESS_KEY_ID", "test")
        environment.setenv("AWS_SECRET_ACCESS_KEY", "test")
        environment.setenv("AWS_EC2_METADATA_DISABLED", "true")
        environment.delenv("AWS_PROFILE", raising=False)
        server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        server.start()
        try:
            host, port = server.get_host_and_port()
            url = f"http://{host}:{port}"
            yield url
            httpx.post(f"{url}/moto-api/reset").raise_for_status()
        finally:
            server.stop()
