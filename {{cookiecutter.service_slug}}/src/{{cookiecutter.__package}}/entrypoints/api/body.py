"""The routes, and their bodies: strict JSON, checked ids, and objects of a limited depth."""

from collections.abc import Callable, Coroutine
from typing import Annotated, Any

from fastapi import Request, Response
from fastapi.routing import APIRoute
from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException

from .. import strict
from .endpoint import in_a_thread
from .request import caller_first


class _StrictRequest(Request):
    async def json(self) -> Any:
        """The body, as strict JSON."""
        try:
            return strict.json(await self.body())
        except strict.NotStorable as error:
            raise HTTPException(422, f"the body: {error}") from None


class StrictRoute(APIRoute):
    """A route whose JSON body is read strictly, whose caller is identified before anything is done
    in their name, and that answers even if what follows hangs."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        caller_first(endpoint)
        super().__init__(path, in_a_thread(endpoint), **options)

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def handle_strictly(request: Request) -> Response:
            return await handle(_StrictRequest(request.scope, request.receive))

        return handle_strictly


class Body(BaseModel):
    """The base of request bodies: a field that is not declared is refused."""

    model_config = ConfigDict(extra="forbid")


def _of_bounded_depth(value: dict[str, Any]) -> dict[str, Any]:
    if strict.is_too_deep(value):
        raise ValueError(f"nested more than {strict.MAX_LEVELS} levels deep")
    return value


JsonObject = Annotated[
    dict[str, Any],
    AfterValidator(_of_bounded_depth),
    Field(description=f"Any JSON object, at most {strict.MAX_LEVELS} levels deep."),
]
Id = Annotated[str, Field(pattern=strict.ID_PATTERN)]
