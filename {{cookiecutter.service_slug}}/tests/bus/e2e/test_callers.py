"""Two callers, and what each of them does: an owner's dependency says who they are."""

from collections.abc import Iterator
from typing import Annotated, Any

import pytest
from fastapi import APIRouter, Depends, Request

from {{ cookiecutter.__package }}.adapters.event_store.memory import MemoryEventStore
from {{ cookiecutter.__package }}.bootstrap import make_bus
from {{ cookiecutter.__package }}.bus import Idempotency, MessageBus
from {{ cookiecutter.__package }}.config import Settings
from {{ cookiecutter.__package }}.entrypoints.api import body, request
from {{ cookiecutter.__package }}.entrypoints.api.app import create_app

from ...support.client import Client, client_of
from ..parcel import commands
from ..parcel.files import FileStore, MemoryFileStore


async def identify(received: Request) -> str:
    caller = received.headers["Authorization"]
    received.state.caller = caller
    return caller


async def named(idempotency: request.IdempotencyKey) -> Idempotency | None:
    return idempotency


Caller = Annotated[str, Depends(identify)]
Named = Annotated[Idempotency | None, Depends(named)]
strict, plain = APIRouter(route_class=body.StrictRoute), APIRouter()


@strict.post("/last")
def caller_last(
    context: request.RequestContext,
    idempotency: request.IdempotencyKey,
    bus: request.Bus,
    caller: Caller,
) -> dict[str, str]:
    return create(bus, caller, idempotency=idempotency, context=context)


@strict.post("/first")
async def caller_first(
    caller: Caller,
    bus: request.Bus,
    idempotency: request.IdempotencyKey,
    context: request.RequestContext,
) -> dict[str, str]:
    return create(bus, caller, idempotency=idempotency, context=context)


@strict.post("/within")
def key_within_another_dependency(
    idempotency: Named,
    context: request.RequestContext,
    bus: request.Bus,
    caller: Caller,
) -> dict[str, str]:
    return create(bus, caller, idempotency=idempotency, context=context)


@plain.post("/plain")
def on_a_plain_route(
    idempotency: request.IdempotencyKey,
    bus: request.Bus,
    caller: Caller,
) -> dict[str, str]:
    return create(bus, caller, idempotency=idempotency)


def create(bus: MessageBus, caller: str, **options: Any) -> dict[str, str]:
    command = commands.CreateParcel(
        parcel_id=f"of-{caller}",
        data={},
    )
    (recorded,) = bus.handle(command, **options).events
    return {"stream": recorded.stream_id, "actor": recorded.context.actor}


@pytest.fixture
def bus() -> MessageBus:
    return make_bus(
        Settings(store="memory"),
        store=MemoryEventStore(),
        dependencies={FileStore: MemoryFileStore()},
    )


@pytest.fixture
def client(bus: MessageBus) -> Iterator[Client]:
    app = create_app(bus)
    for router in (strict, plain):
        app.include_router(router)
    with client_of(app) as client:
        yield client


def send(client: Client, path: str, caller: str) -> Any:
    return client.post(path, {}, headers={"Idempotency-Key": "k", "Authorization": caller})


@pytest.mark.parametrize("path", ["/first", "/last"])
def test_a_key_is_the_callers_own_whatever_the_order_of_the_parameters(
    client: Client, path: str
) -> None:
    for caller in ("ada", "bob", "ada", "bob"):
        answer = send(client, path, caller)
        assert answer.status_code == 200, answer.text
        own = {"stream": f"Parcel/of-{caller}", "actor": caller}
        assert answer.json() == own


@pytest.mark.parametrize("path", ["/within", "/plain"])
def test_nothing_is_done_for_a_caller_who_is_identified_too_late(
    client: Client, bus: MessageBus, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    assert send(client, path, "ada").status_code == 500
    assert bus.store.feed().commits == []
    assert "the caller is identified after" in caplog.text
