"""The door for messages from outside that are no HTTP requests: queues, invocations, the command line.

A name and a JSON body become a command, with an idempotency key and a context. The body is validated
as strictly as that of an HTTP request. Only the commands that a service lists as `PUBLIC` are let in.
"""

from hashlib import sha256
from typing import Any

import msgspec

from ..bootstrap import SERVICES
from ..bus import Command, Context, Idempotency, MessageBus, Outcome
from . import strict

PUBLIC: dict[str, type[Command]] = {
    command.message_name: command for service in SERVICES for command in service.PUBLIC
}
"""The commands that outsiders may send, by name."""


class Refused(Exception):
    """The message is none that this service takes. It says why, and does not repeat what was sent."""


class Incoming(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A message as it stands in a queue: the name of a command, and its fields as `body`.

    `idempotency_key` names the message, so that sending it again has no second effect, where the door
    gives it no id of its own. `correlation_id` and `traceparent` say what it is part of.
    """

    command: str
    body: dict[str, Any]
    idempotency_key: str | None = None
    correlation_id: str | None = None
    traceparent: str | None = None


def parse(text: bytes | str) -> Incoming:
    """The message that a JSON text holds. Raises `Refused`."""
    try:
        return msgspec.convert(strict.json(text), Incoming)
    except ValueError as error:
        raise Refused(f"the message is not understood: {error}") from None


def take(bus: MessageBus, message: Incoming, *, door: str, actor: str, key: str = "") -> Outcome:
    """Handle a message. `door` is where it came in, `actor` who sent it; `key` is the id that the door
    knows it by, in place of its own `idempotency_key`.

    Raises `Refused`, and what `MessageBus.handle` raises.
    """
    command = command_of(message.command, message.body)
    context = Context(
        strict.correlation_id(message.correlation_id),
        actor=actor,
        traceparent=strict.traceparent(message.traceparent),
    )
    return bus.handle(command, idempotency=_idempotency(message, door, actor, key), context=context)


def command_of(name: str, body: dict[str, Any]) -> Command:
    """The command of this name with these fields. Raises `Refused`."""
    command = PUBLIC.get(name)
    if command is None:
        raise Refused(f"there is no such command to send; there is {', '.join(sorted(PUBLIC))}")
    fields = command.__struct_fields__
    if unknown := len(body.keys() - set(fields)):
        raise Refused(f"{name}: {unknown} fields are not known; known are {', '.join(fields)}")
    for field, value in body.items():
        if _is_named_id(field) and isinstance(value, str) and not strict.is_id(value):
            raise Refused(f"{name}.{field} must match {strict.ID_PATTERN}")
        if strict.is_too_deep(value):
            raise Refused(f"{name}.{field} is nested more than {strict.MAX_LEVELS} levels deep")
    try:
        return msgspec.convert({"$type": command.__struct_config__.tag, **body}, command)
    except msgspec.ValidationError as error:
        raise Refused(f"{name}: {error}") from None


def _is_named_id(field: str) -> bool:
    return field == "id" or field.endswith("_id")


def _idempotency(message: Incoming, door: str, actor: str, key: str) -> Idempotency | None:
    """The key, of this door, this command and this sender, and a fingerprint of the body."""
    named = key or message.idempotency_key
    if not named:
        return None
    body = msgspec.json.encode(message.body, order="sorted")
    return Idempotency(f"{door} {message.command} {actor}", named, sha256(body).hexdigest())
