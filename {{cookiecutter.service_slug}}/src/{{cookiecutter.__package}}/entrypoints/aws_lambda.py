"""AWS Lambda: HTTP requests through API Gateway, and direct invocation.

What can be made once is made here, at import, in the time that Lambda gives to starting.
"""

import json
from typing import Any

from mangum import Mangum
from mangum.adapter import DEFAULT_TEXT_MIME_TYPES

from .. import log
from ..bootstrap import make_bus
from ..config import load_settings
from .api import problems
from .api.app import create_app

settings = load_settings()
log.configure(settings)
app = create_app(make_bus(settings))
http = Mangum(
    app,
    lifespan="off",
    text_mime_types=[*DEFAULT_TEXT_MIME_TYPES, problems.MEDIA_TYPE],  # others leave as base64
)


def handler(event: Any, context: Any) -> dict[str, Any]:
    """Answer an HTTP API event (payload format 2.0). Anything else is a direct invocation: it is
    taken for the body of a POST, and answered like one, with `statusCode`, `headers` and `body`."""
    try:
        return http(event if _is_http(event) else _post(event), context)
    except Exception as error:  # Mangum or json could not read it: the app lets nothing out
        log.logger.info("event refused", error=type(error).__name__)
        return http(_post(None), context)


def _is_http(event: Any) -> bool:
    return isinstance(event, dict) and event.get("version") == "2.0" and "requestContext" in event


def _post(request: Any) -> dict[str, Any]:
    """The event that API Gateway would have made of a POST with this body."""
    path = "/{{ cookiecutter.aggregate_plural }}"
    return {
        "version": "2.0",
        "rawPath": path,
        "rawQueryString": "",
        "headers": {"content-type": "application/json"},
        "requestContext": {"http": {"method": "POST", "path": path, "sourceIp": None}},
        "body": json.dumps(request),
        "isBase64Encoded": False,
    }
