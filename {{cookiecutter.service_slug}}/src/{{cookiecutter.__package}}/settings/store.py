"""The event store: STORE and SNAPSHOT_EVERY. What a store needs besides has a module of its own."""

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
    """Where the events are kept. It has the worker's settings, for `check`."""

    store: Annotated[str, AfterValidator(_listed)] = "sqlite"
    snapshot_every: int = Field(default=0, ge=0)


def check(settings: StoreSettings) -> None:
    """What is in memory, only a worker in the same process sees."""
    if settings.store == "memory" and settings.worker == "external":
        raise ValueError("WORKER=external cannot see STORE=memory: it is of one process")
