"""The Lambda function of the HTTP API, which also takes direct invocations."""

from dataclasses import asdict
from typing import Any

import msgspec
from fastapi.responses import JSONResponse
from mangum import Mangum
from mangum.adapter import DEFAULT_TEXT_MIME_TYPES
from starlette.types import ASGIApp, Receive, Scope, Send

from ...observability import log
from .. import intake, shapes, strict
from ..api import problems
from ..api.app import create_app
from .runtime import bus, invocation


class KnownCaller:
    """ASGI middleware: who is calling, as API Gateway has found out. Idempotency keys and the context
    are theirs."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        caller = _caller(scope["aws.event"]["requestContext"].get("authorizer"))
        if caller:
            scope.setdefault("state", {})["caller"] = caller
        await self._app(scope, receive, send)


app = create_app(bus)
http = Mangum(
    KnownCaller(app),
    lifespan="off",
    text_mime_types=[*DEFAULT_TEXT_MIME_TYPES, problems.MEDIA_TYPE],  # others leave as base64
)


def handler(event: Any, context: Any) -> dict[str, Any]:
    """Answer an HTTP API event (payload format 2.0). Any other event is a direct invocation: a command
    by name with its fields (see `intake`). The answer has `statusCode`, `headers` and `body`, too: the
    events that were recorded, or a problem.

    `{"warm-up": true}` is answered as `GET /ready` is, which opens the connection to the store that
    the next request uses.
    """
    with invocation(context):
        if _is_http(event):
            return _answer(event, context)
        if event == {"warm-up": True}:
            return _answer(_get("/ready"), context)
        return _invoked(event)


def _answer(event: Any, context: Any) -> dict[str, Any]:
    try:
        return http(event, context)
    except Exception as error:  # Mangum could not read it: the app lets nothing out
        log.logger.info("event refused", error=type(error).__name__)
        return _as_answer(problems.response(422, "the event is not understood"))


def _invoked(event: Any) -> dict[str, Any]:
    try:
        message = intake.parse(msgspec.json.encode(event))
        outcome = intake.take(bus, message, door="invocation", actor=strict.ANONYMOUS)
    except (intake.Refused, ValueError, TypeError, RecursionError) as error:
        reason = str(error) if isinstance(error, intake.Refused) else "it is not JSON"
        log.logger.info("invocation refused", reason=reason)
        return _as_answer(problems.response(422, reason))
    except Exception as error:
        return _as_answer(problems.from_the_bus(error))
    return _as_answer(JSONResponse(asdict(shapes.taken(outcome)), 201))


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
