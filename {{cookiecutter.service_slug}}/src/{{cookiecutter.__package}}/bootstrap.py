"""The composition root: the only place that knows which adapter serves which port.

Open lists say what the service is made of. To add a part, add a line to a list.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from functools import partial
from importlib import import_module
from typing import Any

from .adapters import (
    files,
)
from .bus import (
    Dispatch,
    EventStore,
    MessageBus,
    Middleware,
    Retry,
    Subscriber,
    Supervisor,
    bootstrap,
)
from .config import Settings
from .observability import log
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

MIDDLEWARE: tuple[Middleware, ...] = (  # around every message, the outermost first
    log.log_messages,
)

SUBSCRIBERS: tuple[Callable[[Settings, MessageBus], Subscriber], ...] = (
    # functions that each make a subscriber of the feed, besides the read models
)

STORE_LAYERS: tuple[Callable[[Settings, EventStore], EventStore], ...] = (
    # functions that each wrap the event store, the innermost first
)

RUNNERS = (  # what `serve` and `worker` run, a thread each: functions of the entry points, by name
    "worker:run_pending",
    "worker:run_subscriptions",
)


def open_store(settings: Settings) -> EventStore:
    """The event store that STORE names, wrapped in its layers. Only that store's module is
    imported, so that the drivers of the other stores are not needed."""
    module = import_module(f".adapters.event_store.{settings.store}", __package__)
    store: EventStore = module.open_store(settings)
    for layer in STORE_LAYERS:
        store = layer(settings, store)
    return store


def create_store(settings: Settings) -> bool:
    """Create what the store needs before it can be opened. Returns whether it needs anything."""
    module = import_module(f".adapters.event_store.{settings.store}", __package__)
    create = getattr(module, "create", None)
    if create is not None:
        create(settings)
    return create is not None


def supervisor(settings: Settings) -> Supervisor:
    """What a process that serves needs, so that a follow-up that hangs does not hold up others."""
    return Supervisor(threads=settings.worker_threads, on_given_up=log.given_up)


def make_bus(
    settings: Settings,
    *,
    store: EventStore | None = None,
    dependencies: Mapping[Any, Any] | None = None,
    middleware: Iterable[Middleware] = (),
    dispatch: Dispatch | None = None,
    retry: Retry | None = None,
    supervisor: Supervisor | None = None,
) -> MessageBus:
    """The message bus of this service. A given argument replaces what `settings` would choose;
    `middleware` goes inside of MIDDLEWARE.

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
        middleware=[*MIDDLEWARE, *middleware],
        subscribers=[partial(make, settings) for make in SUBSCRIBERS],
        dispatch=dispatch
        or Dispatch(
            inline=settings.dispatch == "inline",
            time_limit=timedelta(seconds=settings.time_limit_seconds),
            grace=timedelta(seconds=settings.grace_seconds),
            max_depth=settings.max_depth,
        ),
        retry=retry,
        supervisor=supervisor,
        snapshot_every=settings.snapshot_every,
        on_parked=log.parked,
    )
