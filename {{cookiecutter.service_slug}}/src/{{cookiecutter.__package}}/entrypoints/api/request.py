"""What surrounds every request: its correlation id, its size limit, and the handling of its
errors."""

import asyncio
import hashlib
import inspect
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Annotated, Any

import structlog
from fastapi import Depends, Header, Request
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ...bus import Context, Idempotency, MessageBus
from ...observability import log
from .. import strict
from . import problems

HEADER = "X-Correlation-ID"

# Lingering close (nginx's term): a body that is refused is still read, up to these limits, and
# thrown away. If the server closed the connection while the client is sending, the connection would
# be reset, and the client would lose the answer.
LINGER_BYTES = 1024 * 1024
LINGER_SECONDS = 1.0


class _State(dict[str, Any]):
    """The state of a request. Once its caller was read, it can become no other: a context or an
    idempotency key that was made before would be somebody else's."""

    _caller_was_read = False

    def caller(self) -> str:
        self._caller_was_read = True
        caller: str = self.get("caller", strict.ANONYMOUS)
        return caller

    def __setitem__(self, name: str, value: Any) -> None:
        if name == "caller" and self._caller_was_read and value != self.caller():
            raise RuntimeError(
                "the caller is identified after a context or an idempotency key was made: do it in "
                "a middleware, in `dependencies=` of the router, or in a parameter before these"
            )
        super().__setitem__(name, value)


async def _bus(request: Request) -> MessageBus:
    bus: MessageBus = request.app.state.bus
    return bus


async def _context(request: Request) -> Context:
    """The context of the request: its caller, its correlation id and its trace. A middleware or a
    dependency that identifies the caller sets `state.caller`. One that knows a trace sets
    `state.trace`, which is used if the request brings none."""
    state: _State = request.scope["state"]
    trace = request.headers.get("traceparent", state.get("trace"))
    return Context(
        state["correlation_id"],
        actor=state.caller(),
        traceparent=strict.traceparent(trace),
    )


async def _idempotency(
    request: Request,
    key: Annotated[
        str | None,
        Header(
            alias="Idempotency-Key",
            pattern=strict.KEY_PATTERN,
            description="A name for this request, so that sending it again has no second effect.",
        ),
    ] = None,
) -> Idempotency | None:
    """The key, within the scope of this route and this caller, with a fingerprint of the body's
    bytes."""
    if key is None:
        return None
    state: _State = request.scope["state"]
    scope = f"{request.method} {request.scope['route'].path} {state.caller()}"
    return Idempotency(scope, key, hashlib.sha256(await request.body()).hexdigest())


Bus = Annotated[MessageBus, Depends(_bus)]
RequestContext = Annotated[Context, Depends(_context)]
IdempotencyKey = Annotated[Idempotency | None, Depends(_idempotency)]


def caller_first(endpoint: Callable[..., Any]) -> None:
    """FastAPI resolves the dependencies of an endpoint in the order of its parameters. This moves
    the context and the idempotency key to the end, so that a dependency that identifies the caller
    comes before them wherever it stands."""
    signature = inspect.signature(endpoint, eval_str=True)
    parameters = sorted(
        [each.replace(kind=each.KEYWORD_ONLY) for each in signature.parameters.values()],
        key=lambda each: each.annotation in (RequestContext, IdempotencyKey),
    )
    vars(endpoint)["__signature__"] = signature.replace(parameters=parameters)


class RequestBoundary:
    """The outermost ASGI middleware: refuses bodies that are too large, lets no exception out, and
    logs a line for each request."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        correlation_id = strict.correlation_id(headers.get(HEADER))
        # Request smuggling (RFC 9112, section 6.1): whoever stands in front may have taken the
        # length for the end of this request. What comes after the end that is taken here is not
        # believed.
        is_ambiguous = "transfer-encoding" in headers and "content-length" in headers
        scope["state"] = _State(scope.get("state", {}), correlation_id=correlation_id)
        began, status = time.perf_counter(), None

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                answered = MutableHeaders(scope=message)
                answered[HEADER] = correlation_id
                if is_ambiguous:
                    answered["Connection"] = "close"
            await send(message)

        with structlog.contextvars.bound_contextvars(correlation_id=correlation_id):
            try:
                await self._handle(scope, receive, answer)
            except asyncio.CancelledError:  # it takes longer than a stop may
                if status:
                    raise
                await problems.response(503, "the service has stopped")(scope, receive, answer)
            except Exception as error:
                log.log_error(error)
                if status:
                    raise  # the answer has begun: only closing the connection shows the error
                await problems.response(500, "something failed in the service")(
                    scope, receive, answer
                )
            finally:
                route = scope.get("route")  # the router has put it there, if it has one
                path, tags = getattr(route, "path", None), getattr(route, "tags", ())
                is_probe = "probes" in tags
                log.request(scope["method"], path, status, began, is_probe=is_probe)

    async def _handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        declared = Headers(scope=scope).get("content-length", "")
        too_large = declared.isdecimal() and int(declared) > strict.MAX_BODY_BYTES
        body, more = b"", True
        while more and not too_large:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            body += message.get("body", b"")
            more = message.get("more_body", False)
            too_large = len(body) > strict.MAX_BODY_BYTES
        if too_large:
            await _refuse(scope, receive, send, more=more)
        else:
            await self._app(scope, _replay(body, receive), send)


def _replay(body: bytes, receive: Receive) -> Receive:
    """A `receive` that gives the body as one message, and then the messages of the server."""
    messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replayed() -> Message:
        return messages.pop() if messages else await receive()

    return replayed


async def _refuse(scope: Scope, receive: Receive, send: Send, *, more: bool) -> None:
    """Lingering close: answer at once, throw away the rest of the body within the limits, then
    close."""

    async def hold(message: Message) -> None:
        await send({**message, "more_body": True} if "body" in message else message)

    detail = f"the body is larger than {strict.MAX_BODY_BYTES} bytes"
    answer = problems.response(413, detail, headers={"Connection": "close"})
    await answer(scope, receive, hold)
    with suppress(TimeoutError):
        await asyncio.wait_for(_discard(receive, more=more), LINGER_SECONDS)
    await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _discard(receive: Receive, *, more: bool) -> None:
    discarded = 0
    while more and discarded < LINGER_BYTES:
        message = await receive()
        discarded += len(message.get("body", b""))
        more = message.get("more_body", False)
