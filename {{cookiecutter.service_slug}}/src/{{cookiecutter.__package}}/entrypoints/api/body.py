"""What a request body may hold: strict JSON, ids that are ids, objects of a bounded depth."""

from collections.abc import Callable, Coroutine
from typing import Annotated, Any

import msgspec
from fastapi import Request, Response
from fastapi.routing import APIRoute
from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException

from ..shapes import ID_PATTERN

MAX_LEVELS = 64


class _StrictRequest(Request):
    async def json(self) -> Any:
        """The body. NaN, infinities, lone surrogates and numbers out of range are not JSON: what
        is let in here must be the same when it comes back from a store."""
        try:
            return msgspec.json.decode(await self.body())
        except (ValueError, RecursionError):  # what msgspec raises is of these, for Unicode too
            raise HTTPException(422, "the body is not JSON that can be stored") from None


class StrictRoute(APIRoute):
    """A route whose JSON body is read strictly."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def strict(request: Request) -> Response:
            return await handle(_StrictRequest(request.scope, request.receive))

        return strict


class Body(BaseModel):
    """The base of request bodies: a field that is not named is refused."""

    model_config = ConfigDict(extra="forbid")


def _of_bounded_depth(value: dict[str, Any]) -> dict[str, Any]:
    level, layer = 1, [value]
    while layer := [inner for outer in layer for inner in _containers_in(outer)]:
        level += 1
        if level > MAX_LEVELS:
            raise ValueError(f"nested more than {MAX_LEVELS} levels deep")
    return value


def _containers_in(outer: Any) -> list[Any]:
    values = outer.values() if isinstance(outer, dict) else outer
    return [inner for inner in values if isinstance(inner, dict | list)]


JsonObject = Annotated[
    dict[str, Any],
    AfterValidator(_of_bounded_depth),
    Field(description=f"Any JSON object, at most {MAX_LEVELS} levels deep."),
]
Id = Annotated[str, Field(pattern=ID_PATTERN)]
