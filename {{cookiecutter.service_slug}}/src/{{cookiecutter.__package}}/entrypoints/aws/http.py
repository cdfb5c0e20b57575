"""The Lambda function of the HTTP API, which also takes direct invocations."""

import json
from dataclasses import asdict
from typing import Any

from fastapi.responses import JSONResponse
from mangum import Mangum
from mangum.adapter import DEFAULT_TEXT_MIME_TYPES
from starlette.types import ASGIApp, Receive, Scope, Send

from ...observability import log
from .. import intake, shapes, strict
from ..api import problems
from ..api.app import create_app
from .runtime import bus, invocation, own_trace


class KnownCaller:
    """ASGI middleware: sets the caller that API Gateway has authenticated, and the trace.
    Idempotency keys are scoped by this caller, and the context names them."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        state = scope.setdefault("state", {})
        state["trace"] = own_trace()
        caller = _caller(scope["aws.event"]["requestContext"].get("authorizer"))
        if caller:
            state["caller"] = caller
        await self._app(scope, receive, send)


app = create_app(bus)
http = Mangum(
    KnownCaller(app),
    lifespan="off",
    text_mime_types=[*DEFAULT_TEXT_MIME_TYPES, problems.MEDIA_TYPE],  # others leave as base64
)


def handler(event: Any, context: Any) -> dict[str, Any]:
    """Answer an HTTP API event (payload format 2.0). Any other event is a direct invocation: a
    command by name with its fields (see `intake`). Its answer has `statusCode`, `headers` and
    `body`, too: the events that the command recorded, or a problem.

    `{"warm-up": true}` is answered as `GET /ready` is, which opens the connection to the store that
    the next request uses.
    """
    with invocation(context):
        if _is_http(event):
            return _answer(event, context)
        if event == {"warm-up": True}:
            return _answer(_get("/ready"), context)
        return _invoked(event, context)


def _answer(event: Any, context: Any) -> dict[str, Any]:
    try:
        return http(event, context)
    except Exception as error:  # Mangum could not read it: the app lets nothing out
        log.logger.info("event refused", error=type(error).__name__)
        return _as_answer(problems.response(422, "the event is not understood"))


def _invoked(event: Any, context: Any) -> dict[str, Any]:
    try:
        message = intake.parse(_text(event))
        outcome = intake.take(
            bus, message, door="invocation", actor=_invoker(context), trace=own_trace()
        )
    except intake.Refused as refused:
        log.logger.info("invocation refused", reason=str(refused))
        status = 413 if isinstance(refused, intake.TooLarge) else 422
        return _as_answer(problems.response(status, str(refused)))
    except Exception as error:
        return _as_answer(problems.from_the_bus(error))
    return _as_answer(JSONResponse(asdict(shapes.taken(outcome)), 201))


def _text(event: Any) -> str:
    """The event as JSON again, so that it is read as strictly as any other. Of a number that Lambda
    has rounded, and of two members of one name, nothing can be seen any more."""
    try:
        return json.dumps(event, ensure_ascii=False, separators=(",", ":"))
    except (TypeError, ValueError, RecursionError):
        raise intake.Refused("the event is not JSON") from None


def _as_answer(response: JSONResponse) -> dict[str, Any]:
    return {
        "statusCode": response.status_code,
        "headers": dict(response.headers),
        "body": bytes(response.body).decode(),
        "isBase64Encoded": False,
    }


def _caller(authorizer: Any) -> str | None:
    match authorizer:
        case {"jwt": {"claims": {"iss": issuer, "sub": subject}}}:
            return f"{issuer} {subject}"
        case {"iam": {"userArn": arn}}:
            return str(arn)
    return None


def _invoker(context: Any) -> str:
    """The Cognito identity that invoked the function, where Lambda knows one."""
    identity = getattr(getattr(context, "identity", None), "cognito_identity_id", None)
    return identity if isinstance(identity, str) and identity else strict.ANONYMOUS


def _is_http(event: Any) -> bool:
    return isinstance(event, dict) and event.get("version") == "2.0" and "requestContext" in event


def _get(path: str) -> dict[str, Any]:
    """The event that API Gateway would have made of this request."""
    return {
        "version": "2.0",
        "rawPath": path,
        "rawQueryString": "",
        "headers": {},
        "requestContext": {"http": {"method": "GET", "path": path, "sourceIp": None}},
        "isBase64Encoded": False,
    }


_answer(_get("/health"), None)  # what FastAPI and Mangum put off to the first request
