"""The composition root: the only place that knows which adapter serves which port."""

from collections.abc import Callable, Iterable, Mapping
from importlib import import_module
from typing import Any

from .adapters import (
    files,
)
from .bus import Dispatch, EventStore, MessageBus, Middleware, Retry, bootstrap
from .config import Settings
from .log import log_messages
from .service import (
    {{ cookiecutter.__aggregate_snake }},
)
from .service.ports.files import FileStore

SERVICES = (  # one name per aggregate
    {{ cookiecutter.__aggregate_snake }},
)

PORTS: tuple[tuple[Any, Callable[[Settings], Any]], ...] = (  # a port, and what opens its adapter
    (FileStore, files.open_files),
)


def open_store(settings: Settings) -> EventStore:
    """The event store that STORE names. Only its module is imported: no other's driver is needed."""
    module = import_module(f".adapters.event_store.{settings.store}", __package__)
    store: EventStore = module.open_store(settings)
    return store


def create_store(settings: Settings) -> bool:
    """Create what the store needs before it can be opened. Returns whether it needs anything."""
    module = import_module(f".adapters.event_store.{settings.store}", __package__)
    create = getattr(module, "create", None)
    if create is not None:
        create(settings)
    return create is not None


def make_bus(
    settings: Settings,
    *,
    store: EventStore | None = None,
    dependencies: Mapping[Any, Any] | None = None,
    middleware: Iterable[Middleware] = (),
    dispatch: Dispatch | None = None,
    retry: Retry | None = None,
) -> MessageBus:
    """The message bus of this service. What is given replaces what `settings` would choose;
    `middleware` goes inside of the logging.

    Raises `ConfigurationError` if the wiring is wrong or the store cannot be opened.
    """
    given = dependencies or {}
    return bootstrap(
        commands=[row for service in SERVICES for row in service.COMMANDS],
        events=[row for service in SERVICES for row in service.EVENTS],
        queries=[row for service in SERVICES for row in service.QUERIES],
        projections=[row for service in SERVICES for row in service.PROJECTIONS],
        upcasters=[row for service in SERVICES for row in service.UPCASTERS],
        store=store or open_store(settings),
        dependencies={
            **{port: open_(settings) for port, open_ in PORTS if port not in given},
            **given,
        },
        middleware=[log_messages, *middleware],
        dispatch=dispatch or Dispatch(inline=settings.dispatch == "inline"),
        retry=retry,
        snapshot_every=settings.snapshot_every,
    )
