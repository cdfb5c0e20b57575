"""The FastAPI application."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI
from fastapi.concurrency import run_in_threadpool

from ...bootstrap import make_bus, supervisor
from ...bus import MessageBus
from ...config import load_settings
from ...observability import log
from ..worker import EmbeddedWorker
from . import (
    {{ cookiecutter.__plural_snake }},
)
from .probes import router as probes
from .problems import install, schemas
from .request import RequestBoundary

ROUTERS = (  # one name per module that has a `router`
    {{ cookiecutter.__plural_snake }},
)


class _App(FastAPI):
    def openapi(self) -> dict[str, Any]:
        """FastAPI's description, and the schema of the problems that the routes refer to."""
        description = super().openapi()
        description["components"]["schemas"].update(schemas())
        return description


def create_app(bus: MessageBus, *, worker: EmbeddedWorker | None = None) -> FastAPI:
    """The HTTP API on this bus. Its lifespan runs the worker, if one is given, and closes the
    store at the end."""

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        if worker:
            worker.start()
        yield
        if worker:
            await run_in_threadpool(worker.stop)
        bus.store.close()

    app = _App(
        title="{{ cookiecutter.service_name }}",
        lifespan=lifespan,
        redirect_slashes=False,
        redoc_url=None,
    )
    app.state.bus, app.state.stopping = bus, False
    app.state.checks = [worker.failed] if worker else []
    app.add_middleware(RequestBoundary)
    app.include_router(probes)
    for routes in ROUTERS:
        app.include_router(routes.router)
    install(app)
    return app


def from_environment() -> FastAPI:
    """The application as the environment configures it: `uvicorn --factory` takes this.

    Raises `ConfigurationError` for a wrong setting.
    """
    settings = load_settings()
    log.configure(settings)
    bus = make_bus(settings, supervisor=supervisor(settings))
    worker = EmbeddedWorker(settings, bus) if settings.worker == "embedded" else None
    return create_app(bus, worker=worker)
