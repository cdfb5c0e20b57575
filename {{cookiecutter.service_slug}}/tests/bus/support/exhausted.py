"""A service that has file descriptors left for a few connections only, fewer than MAX_CONNECTIONS
allows: something else in its process holds all the others."""

import os
import resource
from itertools import count

from fastapi import FastAPI

from {{ cookiecutter.__package }}.config import load_settings
from {{ cookiecutter.__package }}.entrypoints.api import connections, server
from {{ cookiecutter.__package }}.entrypoints.api.app import from_environment
from {{ cookiecutter.__package }}.observability import log

from . import parcels

LEFT = 12  # the event loop and the server take some of these


def exhausted() -> FastAPI:
    app = from_environment()
    held: list[int] = []
    for _ in count():
        try:
            held.append(os.open(os.devnull, os.O_RDONLY))
        except OSError:
            break
    for descriptor in held[-LEFT:]:
        os.close(descriptor)
    return app


parcels.install()
settings = load_settings()
log.configure(settings)
limit = settings.max_connections + connections.OWN_DESCRIPTORS
resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
server.serve(settings, exhausted)
