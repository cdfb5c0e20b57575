"""The probes: whether the process is alive, and whether it can take requests."""

from typing import Any

from fastapi import APIRouter, HTTPException, Request

from .problems import documented
from .request import Bus

router = APIRouter(tags=["probes"])


@router.get("/health")
async def health() -> dict[str, str]:
    """The process is alive. This needs no thread: calls that hang may have taken them all."""
    return {"status": "alive"}


@router.get("/ready", responses=documented(503))
def ready(request: Request, bus: Bus) -> dict[str, Any]:
    """The store answers, all runners of the worker run, and the service is not about to stop.
    `waiting` names the commands that do not begin in this process for now, because too many of them
    hang.

    `app.state.checks` are functions that each return the names of what does not run.
    """
    if request.app.state.stopping:
        raise HTTPException(503, "the service is about to stop")
    failed = [name for check in request.app.state.checks for name in check()]
    if failed:
        raise HTTPException(503, f"not running: {', '.join(failed)}")
    bus.store.ping()
    waiting = bus.supervisor.shut_out()
    return {"status": "ready", "waiting": waiting} if waiting else {"status": "ready"}
