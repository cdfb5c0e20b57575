"""The command line.

Exit codes: 0 for success, 2 for a wrong setting or argument, 1 for any other failure, 130 (128 +
SIGINT) after an interrupt, 141 (128 + SIGPIPE) if the reader of the output has closed it, as in
`history a1 | head -1`.
"""

import argparse
import logging
import os
import sys
import traceback
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, NoReturn

from ... import __version__
from ...bus import CodecError, ConfigurationError, DomainError, StoreError, UnknownEvent, operations
from ...bus import __version__ as bus_version
from ...config import Settings, load_settings
from ...observability import log
from ...service.ports import Unavailable
from . import (
    correlated,
    create_store,
    dead_letters,
    feed,
    flow,
    pending,
    rebuild,
    send,
    serve,
    status,
    streams,
    terminal,
    transfer,
)
from .subcommand import Refusal, Subcommand

COMMANDS: tuple[Subcommand, ...] = (  # in the order of --help
    serve.SERVE,
    serve.WORKER,
    send.SEND,
    streams.HISTORY,
    streams.STATE,
    correlated.CORRELATED,
    status.STATUS,
    pending.PENDING,
    dead_letters.DEAD_LETTERS,
    feed.FEED,
    rebuild.REBUILD,
    transfer.EXPORT,
    transfer.IMPORT,
    flow.FLOW,
    create_store.CREATE_STORE,
)

REFUSALS = (
    Refusal,
    operations.NotFound,
    DomainError,
    StoreError,
    CodecError,
    UnknownEvent,
    Unavailable,
)
"""Errors that are shown in one line. Any other error is a mistake in the program."""

INTERRUPTED, NOBODY_READS = 130, 141


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command. Returns the exit code."""
    try:
        try:
            return _run(arguments)
        finally:
            if sys.stdout:
                sys.stdout.flush()
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        _discard_output()
        return NOBODY_READS
    except OSError as error:  # a full disk, say
        _discard_output()
        return _failed(1, error)


def _run(arguments: Sequence[str] | None) -> int:
    options = _parser().parse_args(arguments)
    try:
        settings = load_settings()
        _log_in_one_line(settings)
        options.run(settings, options)
    except ConfigurationError as error:
        return _failed(2, error)
    except REFUSALS as error:
        return _failed(1, error)
    except BrokenPipeError:
        raise
    except Exception as error:
        log.log_error(error)  # not again, if the bus has logged it
        return 1
    return 0


def _failed(code: int, error: Exception) -> int:
    with suppress(OSError):
        terminal.fail(error)
    return code


def _discard_output() -> None:
    """Send what is left in the buffer to /dev/null. Otherwise Python would try to write it at exit,
    and report the error again."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        super().error(terminal.safe(message))


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog=terminal.PROGRAM)
    versions = f"{terminal.PROGRAM} {__version__} (bus {bus_version})"
    parser.add_argument("--version", action="version", version=versions)
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    for command in COMMANDS:
        description = f"{command.text[0].upper()}{command.text[1:]}."
        added = commands.add_parser(command.name, help=command.text, description=description)
        command.arguments(added)
        added.set_defaults(run=command.run)
    return parser


def _log_in_one_line(settings: Settings) -> None:
    """Log only errors, each in one line that is safe to show; with LOG_LEVEL=debug, with a
    traceback. `serve` and `worker` configure the log as it is set."""
    log.configure(settings.model_copy(update={"log_level": "error"}))
    for handler in logging.getLogger().handlers:
        handler.setFormatter(_OneLine(with_traceback=settings.log_level == "debug"))


class _OneLine(logging.Formatter):
    def __init__(self, *, with_traceback: bool) -> None:
        super().__init__()
        self._with_traceback = with_traceback

    def format(self, record: logging.LogRecord) -> str:
        line: Any = record.msg if isinstance(record.msg, dict) else {"event": record.getMessage()}
        error = line.get("exc_info")
        parts = [str(line[name]) for name in ("message", "key", "event") if name in line]
        reason = f": {line['reason']}" if "reason" in line else ""
        if isinstance(error, Exception):
            reason = f": {type(error).__name__}: {error}"
        lines = [f"{terminal.PROGRAM}: {' '.join(parts)}{' '.join(reason.split())}"]
        if self._with_traceback and isinstance(error, Exception):
            lines += "".join(traceback.format_exception(error)).splitlines()
        return "\n".join(map(terminal.safe, lines))


if __name__ == "__main__":
    sys.exit(main())
