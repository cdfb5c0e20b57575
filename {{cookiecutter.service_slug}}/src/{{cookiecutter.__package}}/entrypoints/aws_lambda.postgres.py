"""The AWS Lambda functions of this service, by the names that template.yaml gives.

`handler`: HTTP API events and direct invocation; `queue_handler`: batches of an SQS queue;
`worker_handler`: a schedule. Each function of the deployment imports this module, and only what it
needs of the rest.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .. import log
from .aws_runtime import bus, invocation, run_due

if TYPE_CHECKING:
    from .aws_http import handler, queue_handler

__all__ = ["handler", "queue_handler", "worker_handler"]


def __getattr__(name: str) -> Any:
    """The functions that speak HTTP, and with them FastAPI, are loaded if Lambda asks for them."""
    if name not in ("handler", "queue_handler"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(".aws_http", __package__), name)


def worker_handler(_event: Any, context: Any) -> dict[str, Any]:
    """Run the commands that are due: those left behind by a stop or a fault, and the scheduled ones.
    Then bring the read models up to date.

    Returns how many were `attempted`. Raises `StoreUnavailable`.
    """
    with invocation(context):
        attempted = run_due(context)
        for name, projector in bus.projectors.items():
            try:
                while projector.subscription.advance():
                    pass
            except Exception as error:  # one that fails holds back no other
                log.log_error(error, log.logger.bind(projection=name))
        return {"attempted": attempted}
