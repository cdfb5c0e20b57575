"""Logging by structlog: readable lines on a terminal, JSON otherwise.

A payload or a secret is never logged.
"""

import logging
import sys
import time
from collections.abc import MutableMapping
from contextvars import ContextVar
from typing import Any

import msgspec
import structlog

from ..bus import (
    CodecError,
    DomainError,
    Envelope,
    Next,
    PendingCommand,
    Query,
    StoreError,
    UnknownEvent,
)
from ..config import Settings
from ..service.ports import Unavailable

logger = structlog.stdlib.get_logger("{{ cookiecutter.__package }}")

_handled: ContextVar[Envelope | None] = ContextVar("handled", default=None)
"""The message that is being handled. A line takes its fields when it is written. structlog's own
binding would set a context variable for each field, whether anything is logged or not."""


def configure(settings: Settings) -> None:
    """Send this service's lines, and those of libraries, to standard error."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        _merge_message,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    if sys.stderr.isatty():
        plain = structlog.dev.plain_traceback  # a pretty one shows the values of variables
        last: list[Any] = [structlog.dev.ConsoleRenderer(exception_formatter=plain)]
    else:
        last = [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)
    own = logging.getLogger("{{ cookiecutter.__package }}")
    own.setLevel(settings.log_level.upper())
    logging.getLogger("uvicorn.error").setLevel(settings.log_level.upper())


def log_messages(envelope: Envelope, handle: Next) -> Any:
    """Middleware: logs a line for each command, and one for each error. Every line that is logged
    meanwhile, also by an adapter, carries the message's name, its id and its context."""
    started = time.perf_counter()
    token = _handled.set(envelope)
    try:
        result = handle(envelope)
        if not isinstance(envelope.message, Query):
            recorded = [recorded.event.message_name for recorded in result.events]
            logger.info("handled", recorded=recorded, duration_ms=_since(started))
        return result
    except Exception as error:
        log_error(error, logger.bind(duration_ms=_since(started)))
        raise
    finally:
        _handled.reset(token)


def log_error(error: Exception, line: structlog.stdlib.BoundLogger = logger) -> None:
    """Log an error once. The error is marked, so that the outer layers that it passes do not log it
    again."""
    if vars(error).get("is_logged"):
        return
    vars(error)["is_logged"] = True
    line = line.bind(error=type(error).__name__)
    match error:
        case DomainError() | CodecError():
            line.info("refused")
        case StoreError():
            line.warning("not stored")
        case Unavailable():
            line.warning("not available", reason=str(error))
        case _:
            line.error("failed", exc_info=error)


def subscriber_failed(name: str, error: Exception) -> None:
    """Log that a subscriber could not process a page of the feed."""
    log_error(error, logger.bind(subscriber=name))


def unknown_command(pending: PendingCommand, error: UnknownEvent) -> None:
    """Log that a pending command has been due for long, and that this release does not know it."""
    logger.error(
        "unknown command",
        pending=str(pending.key),
        message_id=pending.command_id,
        correlation_id=pending.context.correlation_id,
        reason=str(error),
    )


def refused_request(method: str, status: int) -> None:
    """Log a request that was refused before it became a message."""
    logger.info("request refused", method=method, status=status)


def _merge_message(
    _logger: Any, _method: str, line: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """A processor of structlog: adds the name, the id and the context of the message that is being
    handled. What the line says itself takes precedence."""
    envelope = _handled.get()
    if envelope is None:
        return line
    context = msgspec.structs.asdict(envelope.context)
    return {
        "message": envelope.message.message_name,
        "message_id": envelope.message_id,
        **{name: value for name, value in context.items() if value is not None},
        **line,
    }


def _since(started: float) -> float:
    return round((time.perf_counter() - started) * 1000, 2)
