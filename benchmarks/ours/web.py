"""`POST /orders` over HTTP, in one process: as rendered, and the same endpoint without the bus.

The kinds: `rendered`, what `serve` starts; `alone`, the same without its worker; `by-hand`, the same
routes, where in place of the bus one function does what the three handlers do, with a line of the log
for each, and keeps the events; `one`, a bus whose events lead to nothing; `one-by-hand`, that by hand;
`fastapi`, an endpoint that answers and no more.
"""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime
from threading import Lock
from typing import Any

import msgspec
import uvicorn
from bench_service.adapters import files
from bench_service.bootstrap import make_bus
from bench_service.bus import Context, Event, Outcome, RecordedEvent, bootstrap
from bench_service.config import load_settings
from bench_service.domain.order import commands, events
from bench_service.entrypoints.api.app import create_app, from_environment
from bench_service.observability import log
from bench_service.service import order
from bench_service.service.ports.files import FileStore
from fastapi import FastAPI
from pydantic import BaseModel, ConfigDict

settings = load_settings()


class ByHand:
    """What the endpoint asks of the bus, in one function."""

    store = make_bus(settings).store

    def __init__(self, *, whole: bool) -> None:
        self._whole, self._files = whole, files.open_files(settings)
        self._lock, self._streams = Lock(), dict[str, list[RecordedEvent]]()

    def handle(self, command: commands.CreateOrder, **_: Any) -> Outcome:
        order_id, data = command.order_id, command.data
        created = self._keep(
            "CreateOrder", order_id, events.OrderCreated(order_id=order_id, data=data)
        )
        if self._whole:
            result = {"fields": sorted(data)}
            processed = events.OrderProcessed(order_id=order_id, result=result)
            self._keep("ProcessOrder", order_id, processed)
            archive = {"id": order_id, "data": data, "result": result}
            where = self._files.put(f"orders/{order_id}.json", msgspec.json.encode(archive))
            self._keep(
                "ArchiveOrder", order_id, events.OrderArchived(order_id=order_id, location=where)
            )
        return Outcome((created,))

    def _keep(self, command: str, order_id: str, event: Event) -> RecordedEvent:
        command_id, stream_id = os.urandom(16).hex(), f"Order/{order_id}"
        with self._lock:
            stream = self._streams.setdefault(stream_id, [])
            version = len(stream) + 1
            recorded = RecordedEvent(
                event,
                f"{stream_id}@{version}",
                stream_id,
                version,
                datetime.now(UTC),
                command_id,
                Context(command_id),
                command,
            )
            stream.append(recorded)
        log.logger.info(
            "handled",
            message=command,
            message_id=command_id,
            correlation_id=command_id,
            causation_id=None,
            recorded=[event.message_name],
            duration_ms=0.1,
        )
        return recorded


def one_command() -> Any:
    """A bus whose events lead to nothing."""
    return bootstrap(
        commands=order.COMMANDS,
        events=[(event, []) for event, _ in order.EVENTS],
        store=make_bus(settings).store,
        dependencies={FileStore: files.open_files(settings)},
        middleware=[log.log_messages],
    )


class NewOrder(BaseModel):
    model_config = ConfigDict(extra="forbid")
    order_id: str | None = None
    data: dict[str, Any]


def bare() -> FastAPI:
    app = FastAPI()

    @app.post("/orders", status_code=201)
    def create_order(body: NewOrder) -> dict[str, Any]:
        return {"order_id": body.order_id, "status": "created", "version": 1}

    return app


def make(kind: str) -> FastAPI:
    """The application of this kind."""
    log.configure(settings)
    match kind:
        case "rendered":
            return from_environment()
        case "alone":
            return create_app(make_bus(settings))
        case "by-hand":
            return create_app(ByHand(whole=True))
        case "one":
            return create_app(one_command())
        case "one-by-hand":
            return create_app(ByHand(whole=False))
    return bare()


if __name__ == "__main__":
    kind, port = sys.argv[1], int(sys.argv[2])
    uvicorn.run(
        make(kind), port=port, log_config=None, access_log=False, ws="none", server_header=False
    )
