"""The HTTP application on AWS Lambda: API Gateway, direct invocation, and messages of a queue."""

import json
from typing import Any

from mangum import Mangum
from mangum.adapter import DEFAULT_TEXT_MIME_TYPES
from starlette.types import ASGIApp, Receive, Scope, Send

from .. import log
from .api import problems
from .api.app import create_app
from .aws_runtime import bus, invocation

PATH = "/{{ cookiecutter.aggregate_plural }}"
CREATED = 201


class KnownCaller:
    """ASGI middleware: who is calling, as API Gateway has found out. An idempotency key is theirs."""

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
    """Answer an HTTP API event (payload format 2.0). Anything else is a direct invocation: it is
    taken for the body of a POST, and answered like one, with `statusCode`, `headers` and `body`.

    `{"warm-up": true}` is answered as `GET /ready` is: that opens the connection to the store which the
    next request uses.
    """
    with invocation(context):
        if event == {"warm-up": True}:
            return _answer(_request("GET", "/ready"), context)
        return _answer(event if _is_http(event) else _request("POST", PATH, _json(event)), context)


def queue_handler(event: Any, context: Any) -> dict[str, Any]:
    """Take messages of an SQS queue, each the body of a POST, under its message id as
    `Idempotency-Key`: delivered again, it has no second effect.

    Returns `batchItemFailures` (a partial batch response): the ids of those that were refused or
    failed. SQS delivers them again, and in the end puts them into the dead-letter queue.
    """
    with invocation(context):
        records = event.get("Records") if isinstance(event, dict) else None
        if not isinstance(records, list):
            log.logger.error("event refused", error="it has no Records")
            return {"batchItemFailures": []}
        failed = [record for record in records if not _take(record, context)]
        return {"batchItemFailures": [{"itemIdentifier": _id(record)} for record in failed]}


def _take(record: Any, context: Any) -> bool:
    """Whether this message had its effect, now or before."""
    body = record.get("body") if isinstance(record, dict) else None
    if not isinstance(body, str):
        log.logger.error("message refused", error="it has no body", queue_message_id=_id(record))
        return False
    request = _request("POST", PATH, body)
    request["headers"]["idempotency-key"] = _id(record)
    request["requestContext"]["authorizer"] = {"queue": record.get("eventSourceARN")}
    answer = _answer(request, context)
    if answer["statusCode"] == CREATED:
        return True
    log.logger.warning("message refused", status=answer["statusCode"], queue_message_id=_id(record))
    return False


def _answer(event: Any, context: Any) -> dict[str, Any]:
    try:
        return http(event, context)
    except Exception as error:  # Mangum could not read it: the app lets nothing out
        log.logger.info("event refused", error=type(error).__name__)
        return http(_request("POST", PATH, "null"), context)


def _caller(authorizer: Any) -> str | None:
    match authorizer:
        case {"jwt": {"claims": {"iss": issuer, "sub": subject}}}:
            return f"{issuer} {subject}"
        case {"iam": {"userArn": arn}} | {"queue": arn}:
            return str(arn)
    return None


def _is_http(event: Any) -> bool:
    return isinstance(event, dict) and event.get("version") == "2.0" and "requestContext" in event


def _id(record: Any) -> str:
    return str(record.get("messageId")) if isinstance(record, dict) else ""


def _json(request: Any) -> str:
    try:
        return json.dumps(request)
    except (TypeError, ValueError, RecursionError):
        return "null"


def _request(method: str, path: str, body: str | None = None) -> dict[str, Any]:
    """The event that API Gateway would have made of this request."""
    return {
        "version": "2.0",
        "rawPath": path,
        "rawQueryString": "",
        "headers": {"content-type": "application/json"},
        "requestContext": {"http": {"method": method, "path": path, "sourceIp": None}},
        "body": body,
        "isBase64Encoded": False,
    }


_answer(_request("GET", "/health"), None)  # what FastAPI and Mangum put off to the first request
