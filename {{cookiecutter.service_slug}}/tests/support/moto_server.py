"""AWS on loopback: moto's server, which checks conditions and transactions as AWS does."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread
from typing import Any

import httpx
import pytest
from botocore.loaders import JSONFileLoader
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

from {{ cookiecutter.__package }}.adapters import aws

REGION = "eu-central-1"

load_file = JSONFileLoader.load_file
described: dict[str, Any] = {}


def load_once(loader: Any, path: str) -> Any:
    """Cache botocore's descriptions of AWS, which it otherwise reads again for each client."""
    if path not in described:
        described[path] = load_file(loader, path)
    return described[path]


@contextmanager
def moto_server() -> Iterator[str]:
    """The URL of a moto server, with credentials for it in the environment, and with a session that
    knows no others. At the end it loses all data, and so does any other moto server of this
    process: moto has one memory for all of them.

    It answers one request at a time, because moto's transactions are not isolated: one that fails
    restores the whole table, and with it removes what others have written meanwhile.
    """
    application = DomainDispatcherApplication(create_backend_app)
    server = make_server("127.0.0.1", 0, application, threaded=False)
    url = f"http://127.0.0.1:{server.server_port}"
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("AWS_ACCESS_KEY_ID", "test")
        environment.setenv("AWS_SECRET_ACCESS_KEY", "test")
        environment.setenv("AWS_EC2_METADATA_DISABLED", "true")
        environment.delenv("AWS_PROFILE", raising=False)
        environment.setattr(JSONFileLoader, "load_file", load_once)
        aws.session.cache_clear()
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield url
            httpx.post(f"{url}/moto-api/reset").raise_for_status()
        finally:
            server.shutdown()
            thread.join()
            server.server_close()
            aws.session.cache_clear()
