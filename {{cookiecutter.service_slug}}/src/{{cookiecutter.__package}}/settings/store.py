"""The event store: STORE and SNAPSHOT_EVERY. Settings of one store are in a module of its own."""

from typing import Annotated

from pydantic import AfterValidator, Field

from . import worker

STORES = (  # one name per store: that of its module in adapters/event_store
    "memory",
    "sqlite",
)


def _listed(store: str) -> str:
    if store not in STORES:
        *others, last = map(repr, STORES)
        raise ValueError(f"Input should be {', '.join(others)} or {last}")
    return store


class StoreSettings(worker.WorkerSettings):
    """Where the events are kept. It inherits the worker's settings, because `check` reads them."""

    store: Annotated[str, AfterValidator(_listed)] = "sqlite"
    snapshot_every: int = Field(default=0, ge=0)


def check(settings: StoreSettings) -> None:
    """Refuses an external worker of the memory store: no other process can see its data. Raises
    `ValueError`."""
    if settings.store == "memory" and settings.worker == "external":
        raise ValueError("WORKER=external cannot see STORE=memory: it is of one process")
