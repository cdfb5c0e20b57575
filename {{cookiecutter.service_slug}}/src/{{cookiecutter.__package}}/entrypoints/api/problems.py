"""Errors as application/problem+json (RFC 9457), without details that a client must not see."""

import math
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from ...bus import (
    CodecError,
    CommitTooLarge,
    DomainError,
    RefusalKind,
    StoreError,
    StoreUnavailable,
    UnknownEvent,
)
from ...observability import log
from ...service.ports import Unavailable

MEDIA_TYPE = "application/problem+json"


class InvalidField(BaseModel):
    """A field that was refused. What was sent is not repeated."""

    field: str
    message: str


class Problem(BaseModel):
    """What went wrong."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    errors: list[InvalidField] | None = None


STATUSES: dict[RefusalKind, int] = {
    "conflict": 409,
    "not_found": 404,
    "forbidden": 403,
    "gone": 410,
    "invalid": 422,
    "limited": 429,
}
"""The status of a `DomainError`, by its kind."""

DESCRIPTIONS = {
    401: "The caller is not known",
    403: "The caller is known, and may not do this",
    404: "There is no such thing",
    409: "It conflicts with what is there, or a business rule refuses it",
    410: "It was there, and is not any more",
    413: "The body, or what would be stored of it, is too large",
    422: "The input is not valid; none of it is repeated here",
    429: "It is too much for now: try again after Retry-After seconds",
    503: "The store, or another system, does not answer: try again after Retry-After seconds",
}


def documented(*failures: int | type[Exception]) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route that can fail in these ways, for its OpenAPI description. A status
    is described by a general sentence. An error stands for its status, and adds the first paragraph
    of its docstring."""
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    described: dict[int | str, str] = {"default": "Something failed in the service"}
    for failure in failures:
        status = failure if isinstance(failure, int) else status_of(failure)
        described.setdefault(status, DESCRIPTIONS.get(status, HTTPStatus(status).phrase))
        if not isinstance(failure, int):
            described[status] += f"\n\n- {failure.__name__}: {_first_paragraph(failure)}"
    return {
        status: {"description": description, "content": content}
        for status, description in described.items()
    }


def _first_paragraph(error: type[Exception]) -> str:
    return " ".join((error.__doc__ or "").partition("\n\n")[0].split())


def schemas() -> dict[str, Any]:
    """The OpenAPI component that `documented` refers to."""
    problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    return {**problem.pop("$defs"), "Problem": problem}


def response(
    status: int,
    detail: str,
    *,
    errors: list[InvalidField] | None = None,
    headers: dict[str, str] | None = None,
) -> JSONResponse:
    """A problem as a response."""
    problem = Problem(
        title=HTTPStatus(status).phrase, status=status, detail=detail, errors=errors or None
    )
    return JSONResponse(problem.model_dump(exclude_none=True), status, headers, MEDIA_TYPE)


def install(app: FastAPI) -> None:
    """Let `app` answer every error with a problem."""
    app.exception_handler(HTTPException)(_http)
    app.exception_handler(RequestValidationError)(_invalid)
    for error in (DomainError, StoreError, CodecError, Unavailable, UnknownEvent):
        app.exception_handler(error)(_failed)


async def _http(request: Request, error: HTTPException) -> JSONResponse:
    # FastAPI answers 400 for a body that it cannot parse. Here, all invalid input is 422.
    status = 422 if error.status_code == HTTPStatus.BAD_REQUEST else error.status_code
    headers = dict(error.headers or {})
    if status == HTTPStatus.METHOD_NOT_ALLOWED and (methods := _methods(request)):
        headers["Allow"] = ", ".join(methods)
    return response(status, str(error.detail), headers=headers)


def _methods(request: Request) -> list[str]:
    """The methods that the path has. Starlette names only those of the first of its routes."""
    operations = request.app.openapi()["paths"].get(request.scope["route"].path, {})
    return sorted(method.upper() for method in operations)


async def _invalid(_request: Request, error: RequestValidationError) -> JSONResponse:
    found = error.errors()
    if any(each["loc"][0] == "path" for each in found):
        return response(404, "there is nothing here")
    return response(422, "the input is not valid", errors=[_field(each) for each in found])


def _field(found: dict[str, Any]) -> InvalidField:
    """Names only the outermost field, and only if the API declares it: deeper names are the
    caller's data."""
    if found["type"] == "extra_forbidden":
        return InvalidField(field=found["loc"][0], message="there is a field that is not known")
    return InvalidField(field=".".join(map(str, found["loc"][:2])), message=found["msg"])


async def _failed(_request: Request, error: Exception) -> JSONResponse:
    return from_the_bus(error)


def from_the_bus(error: Exception) -> JSONResponse:
    """The response to an error of the bus, as a problem. Logs the error."""
    log.log_error(error)
    status = status_of(type(error))
    match error:
        case CodecError():
            return response(status, "there is a value that cannot be stored")
        case StoreUnavailable() | Unavailable():
            what = "the store" if isinstance(error, StoreUnavailable) else "another system"
            return response(status, f"{what} does not answer", headers=_retry_after(1))
        case UnknownEvent():  # while a new release is rolled out, it has written what is read here
            detail = "a newer release of this service has written what this one cannot read"
            return response(status, detail, headers=_retry_after(1))
        case DomainError(kind="limited"):
            return response(status, str(error), headers=_retry_after(error.retry_after))
        case DomainError() | StoreError():
            return response(status, str(error))
    return response(status, "something failed in the service")


def status_of(error: type[Exception]) -> int:
    """The status of an error of this class."""
    if issubclass(error, DomainError):
        return STATUSES[error.kind]
    return next((status for known, status in _OTHERS if issubclass(error, known)), 500)


_OTHERS: tuple[tuple[type[Exception], int], ...] = (
    (CodecError, 422),
    (CommitTooLarge, 413),
    (StoreUnavailable, 503),
    (Unavailable, 503),
    (UnknownEvent, 503),
    (StoreError, 409),
)
"""The statuses of the errors that are no `DomainError`. The first class that fits counts."""


def _retry_after(seconds: float) -> dict[str, str]:
    return {"Retry-After": str(max(1, math.ceil(seconds)))}
