"""The door for messages that are no HTTP requests: from queues, invocations, the command line.

A name and a JSON body become a command, with an idempotency key and a context. The body is
validated as strictly as that of an HTTP request. Only the commands that a service lists as `PUBLIC`
are let in.
"""

import re
from collections.abc import Iterable
from datetime import timedelta
from hashlib import sha256
from typing import Any, TypeVar

import msgspec

from ..bootstrap import SERVICES
from ..bus import Command, Context, Idempotency, MessageBus, Outcome
from . import strict

T = TypeVar("T")

PUBLIC: dict[str, type[Command]] = {
    command.message_name: command for service in SERVICES for command in service.PUBLIC
}
"""The commands that outsiders may send, by name."""

KEPT = timedelta(days=7)
"""How long the key of a message is remembered, unless its door says otherwise."""

PLACE = re.compile(r" - at (`\$[^`]*`)$")
"""Where msgspec found what it refuses, at the end of what it says."""


class Refused(Exception):
    """This service does not take the message. The error says why, and does not repeat the input."""


class TooLarge(Refused):
    """The message is larger than a request may be."""


class Incoming(msgspec.Struct, frozen=True):
    """A message as it stands in a queue: the name of a command, and its fields as `body`.

    `idempotency_key` names the message, so that sending it again has no second effect. Without one,
    the id that the door gives the message is used. `correlation_id` and `traceparent` say what it
    is part of.
    """

    command: str
    body: dict[str, Any]
    idempotency_key: str | None = None
    correlation_id: str | None = None
    traceparent: str | None = None


def parse(text: bytes | str) -> Incoming:
    """The message that a JSON text holds. Raises `Refused`."""
    encoded = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    if len(encoded) > strict.MAX_BODY_BYTES:
        raise TooLarge(f"the message is larger than {strict.MAX_BODY_BYTES} bytes")
    try:
        value = strict.json(encoded)
    except strict.NotStorable as error:
        raise Refused(f"the message: {error}") from None
    if isinstance(value, dict):
        _refuse_unknown(value, Incoming.__struct_fields__, "the message")
    return _converted(value, Incoming, "the message")


def take(
    bus: MessageBus,
    message: Incoming,
    *,
    door: str,
    actor: str,
    key: str | None = None,
    kept: timedelta = KEPT,
    trace: str | None = None,
) -> Outcome:
    """Handle a message. `door` is where it came in, `actor` who sent it. `key` and `trace` are the
    door's id and W3C trace of the message, for a message that brings none of its own. `kept` is how
    long its key is remembered: longer than the door may bring the message again.

    Raises `Refused`, and what `MessageBus.handle` raises.
    """
    command = command_of(message.command, message.body)
    context = Context(
        strict.correlation_id(message.correlation_id),
        actor=actor,
        traceparent=strict.traceparent(message.traceparent or trace),
    )
    idempotency = _idempotency(message, f"{door} {message.command} {actor}", key, kept)
    return bus.handle(command, idempotency=idempotency, context=context)


def command_of(name: str, body: dict[str, Any]) -> Command:
    """The command of this name with these fields. Raises `Refused`."""
    command = PUBLIC.get(name)
    if command is None:
        raise Refused(f"there is no such command to send; there is {', '.join(sorted(PUBLIC))}")
    _refuse_unknown(body, command.__struct_encode_fields__, name)
    for field, value in body.items():
        if _names_an_id(field) and isinstance(value, str) and not strict.is_id(value):
            raise Refused(f"{name}.{field} must match {strict.ID_PATTERN}")
        if strict.is_too_deep(value):
            raise Refused(f"{name}.{field} is nested more than {strict.MAX_LEVELS} levels deep")
    return _converted({"$type": command.__struct_config__.tag, **body}, command, name)


def _names_an_id(field: str) -> bool:
    return field == "id" or field.endswith("_id")


def _refuse_unknown(given: Iterable[str], known: tuple[str, ...], where: str) -> None:
    if unknown := len(set(given) - set(known)):
        raise Refused(f"{where}: {unknown} fields are not known; known are {', '.join(known)}")


def _converted(value: Any, kind: type[T], where: str) -> T:
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        raise Refused(f"{where}: {_reason(str(error))}") from None


def _reason(said: str) -> str:
    """msgspec's message, if it names only types. For an enum it would repeat the value that was
    sent, and for an object the field. Then only the place is given."""
    if said.startswith(("Expected ", "Object missing ")):
        return said
    place = PLACE.search(said)
    return f"a value is not allowed{place[0] if place else ''}"


def _idempotency(
    message: Incoming, scope: str, key: str | None, kept: timedelta
) -> Idempotency | None:
    """The key, of this door, this command and this sender, and a fingerprint of the body."""
    named = message.idempotency_key if message.idempotency_key is not None else key
    if named is None:
        return None
    if not strict.is_key(named):
        raise Refused(f"idempotency_key must match {strict.KEY_PATTERN}")
    body = msgspec.json.encode(message.body, order="sorted")
    return Idempotency(scope, named, sha256(body).hexdigest(), kept)
