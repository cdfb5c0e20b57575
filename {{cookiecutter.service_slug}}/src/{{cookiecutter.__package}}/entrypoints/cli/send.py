"""`send`: sends one command, and shows the events that it recorded."""

import argparse
import getpass
import os
import re
import sys
from dataclasses import asdict

from ...bus import operations
from ...config import Settings
from .. import intake, shapes, strict
from . import events, terminal
from .subcommand import Refusal, Subcommand, opened, takes_json

KEY = re.compile(r"[!-~]{1,255}")


def _arguments(parser: argparse.ArgumentParser) -> None:
    known = ", ".join(sorted(intake.PUBLIC))
    parser.add_argument("command", metavar="COMMAND", help=f"its name: {known}")
    parser.add_argument("body", metavar="JSON", help="its fields; - for standard input")
    text = "names this command, so that sending it again has no second effect"
    parser.add_argument("--key", metavar="KEY", help=text)
    text = "what it is part of, instead of an id of its own"
    parser.add_argument("--correlation-id", metavar="ID", help=text)
    takes_json(parser)


def _send(settings: Settings, options: argparse.Namespace) -> None:
    message = _message(options)
    with opened(settings) as bus:
        try:
            outcome = intake.take(bus, message, door="command line", actor=_user())
        except intake.Refused as refused:
            raise Refusal(refused) from None
    if options.json:
        terminal.say_json(asdict(shapes.taken(outcome)))
    else:
        recorded: list[operations.Listed] = list(outcome.events)
        terminal.say_table(events.HEADER, map(events.cells, recorded))
    if outcome.replayed:
        terminal.tell("it was handled before, under this key: that is what it recorded then")


def _message(options: argparse.Namespace) -> intake.Incoming:
    """The message that the arguments describe. Raises `Refusal` for a key or a correlation id that
    other entry points would ignore: here, the user can correct it."""
    if options.command not in intake.PUBLIC:
        known = ", ".join(sorted(intake.PUBLIC))
        raise Refusal(f"{options.command!r} cannot be sent; what can is {known}")
    if options.key is not None and not KEY.fullmatch(options.key):
        raise Refusal("--key must be 1 to 255 printable characters of ASCII, without spaces")
    given = options.correlation_id
    if given is not None and strict.correlation_id(given) != given:
        raise Refusal("--correlation-id must be 1 to 128 printable characters of ASCII")
    text = sys.stdin.buffer.read() if options.body == "-" else os.fsencode(options.body)
    if len(text) > strict.MAX_BODY_BYTES:
        raise Refusal(f"JSON: it is larger than {strict.MAX_BODY_BYTES} bytes")
    try:
        body = strict.json(text)
    except strict.NotStorable as error:
        raise Refusal(f"JSON: {error}") from None
    if not isinstance(body, dict):
        raise Refusal("JSON: it must be an object, the fields of the command")
    return intake.Incoming(options.command, body, options.key, given)


def _user() -> str:
    """The name of the user who runs this, from the operating system: environment variables cannot
    change it."""
    try:
        import pwd

        return pwd.getpwuid(os.getuid()).pw_name
    except (ImportError, KeyError):  # not on Windows; in a container, a user need not have a name
        return getpass.getuser() if os.name == "nt" else f"uid {os.getuid()}"


SEND = Subcommand("send", "send a command, and show what it recorded", _send, _arguments)
