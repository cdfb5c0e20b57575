"""Logging by structlog: readable lines on a terminal, JSON otherwise.

A payload or a secret is never logged.
"""

import io
import logging
import sys
import time
from collections.abc import Callable, MutableMapping
from contextvars import ContextVar
from typing import Any, TextIO

import msgspec
import structlog
from structlog.typing import Processor

from ..bus import (
    CodecError,
    Command,
    Context,
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
from .text import safe

logger = structlog.stdlib.get_logger("{{ cookiecutter.__package }}")

REMINDER_SECONDS = 60.0
"""How often an error that repeats is logged again."""

_handled: ContextVar[Envelope | None] = ContextVar("handled", default=None)
"""The message that is being handled. A line takes its fields when it is written. structlog's own
binding would set a context variable for each field, whether anything is logged or not."""


def configure(settings: Settings, *more: Processor) -> None:
    """Send this service's lines, and those of libraries, to standard error. `more` are processors
    that every line goes through before it is rendered."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        _merge_message,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    if sys.stderr.isatty():
        console = structlog.dev.ConsoleRenderer(exception_formatter=_safe_traceback)
        last: list[Any] = [_safe_values, console]
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
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *more, *last],
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
            line.info("refused", reason=str(error))
        case StoreError():
            line.warning("not stored", reason=str(error))
        case Unavailable():
            line.warning("not available", reason=str(error))
        case _:
            line.error("failed", exc_info=error)


class Outages:
    """Logs what a loop finds to fail, again and again: the first time, when the reason is another
    one, once in `REMINDER_SECONDS`, and when it works again.

    `kind` is the field for the names of what fails, such as ``subscriber``. `clock` gives seconds.
    For one thread.
    """

    def __init__(self, kind: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._kind, self._clock = kind, clock
        self._logged: dict[str, dict[str, float]] = {}  # for each name, each reason, and when

    def failed(self, name: str, error: Exception) -> None:
        """Log the error, unless it was logged just now."""
        now, reason = self._clock(), f"{type(error).__name__}: {error}"
        before = self._logged.get(name, {})
        recent = {each: at for each, at in before.items() if now - at < REMINDER_SECONDS}
        if reason not in recent:
            recent[reason] = now
            log_error(error, logger.bind(**{self._kind: name}))
        self._logged[name] = recent

    def works(self, name: str) -> None:
        """Log it, if it has failed before."""
        if self._logged.pop(name, None) is not None:
            logger.warning("works again", **{self._kind: name})


def parked(command: str, dead: PendingCommand, error: StoreError | None) -> None:
    """Log a dead letter. With the store's `error`, it is not known whether it is stored as one."""
    line = logger.bind(
        message=command,
        message_id=dead.command_id,
        key=str(dead.key),
        stream=dead.key.stream_id,
        attempts=dead.attempts,
        reason=dead.error,
        **_fields(dead.context),
    )
    if error is None:
        line.error("dead letter")
    else:
        line.error("dead letter not stored", error=type(error).__name__, cause=str(error))


def given_up(command: Command, pending: PendingCommand, seconds: float) -> None:
    """Log an attempt that has taken longer than its time limit, and is no longer waited for."""
    logger.error(
        "given up",
        message=command.message_name,
        message_id=pending.command_id,
        key=str(pending.key),
        stream=pending.key.stream_id,
        attempts=pending.attempts,
        seconds=round(seconds, 1),
        **_fields(pending.context),
    )


def unknown_command(pending: PendingCommand, error: UnknownEvent) -> None:
    """Log that a pending command has been due for long, and that this release does not know it."""
    logger.error(
        "unknown command",
        message_id=pending.command_id,
        key=str(pending.key),
        stream=pending.key.stream_id,
        reason=str(error),
        **_fields(pending.context),
    )


def faulty_stream(stream_id: str, error: Exception) -> None:
    """Log that the pending commands of a stream cannot be run."""
    name = type(error).__name__
    logger.error("faulty stream", stream=stream_id, error=name, reason=str(error), exc_info=error)


def request(
    method: str, route: str | None, status: int | None, started: float, *, is_probe: bool
) -> None:
    """Log a request that is over; `status` is None if its client left before the answer. `route` is
    the template of the route, because a path and a query string hold what the caller wrote; None if
    there is no such route. Probes are logged at debug: they come every few seconds."""
    line = logger.debug if is_probe else logger.info
    line("request", method=method, route=route, status=status, duration_ms=_since(started))


def _merge_message(
    _logger: Any, _method: str, line: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """A processor of structlog: adds the name, the id and the context of the message that is being
    handled. What the line says itself takes precedence."""
    envelope = _handled.get()
    if envelope is None:
        return line
    return {
        "message": envelope.message.message_name,
        "message_id": envelope.message_id,
        **_fields(envelope.context),
        **line,
    }


def _fields(context: Context) -> dict[str, Any]:
    fields = msgspec.structs.asdict(context)
    return {name: value for name, value in fields.items() if value is not None}


def _safe_values(
    _logger: Any, _method: str, line: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """A processor of structlog: no text steers the terminal. What is no text is shown by `repr`,
    which escapes as well."""
    return {name: safe(value) if isinstance(value, str) else value for name, value in line.items()}


def _safe_traceback(out: TextIO, exc_info: Any) -> None:
    """A plain traceback: a pretty one shows the values of variables."""
    plain = io.StringIO()
    structlog.dev.plain_traceback(plain, exc_info)
    out.write("\n".join(map(safe, plain.getvalue().split("\n"))))


def _since(started: float) -> float:
    return round((time.perf_counter() - started) * 1000, 2)
