"""Puts the parcels into the open lists, in place of the aggregates of this service."""

from collections.abc import Callable
from typing import Any

from {{ cookiecutter.__package }} import bootstrap
from {{ cookiecutter.__package }}.entrypoints import intake
from {{ cookiecutter.__package }}.entrypoints.cli import streams
from {{ cookiecutter.__package }}.observability import log

from .. import parcel
from ..parcel import aggregate, files

LISTS: tuple[tuple[Any, str, Any], ...] = (
    (bootstrap, "SERVICES", (parcel,)),
    (bootstrap, "PORTS", ((files.FileStore, files.open_files),)),
    (bootstrap, "MIDDLEWARE", (log.log_messages,)),
    (bootstrap, "SUBSCRIBERS", ()),
    (intake, "PUBLIC", {command.message_name: command for command in parcel.PUBLIC}),
    (streams, "FIRST", aggregate.Parcel),
)


def install(put: Callable[[Any, str, Any], None] = setattr, *, http: bool = True) -> None:
    """From now on, this process is a service of parcels. `put` sets an attribute of a module.
    Without `http`, the API is not even imported: a command starts in half the time."""
    for module, name, value in LISTS:
        put(module, name, value)
    if http:
        from {{ cookiecutter.__package }}.entrypoints.api import app

        from ..parcel import routes

        put(app, "ROUTERS", (routes,))
