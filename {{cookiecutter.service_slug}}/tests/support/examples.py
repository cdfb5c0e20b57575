"""Examples: of any message, and of the body of any route."""

import json
from typing import Any, TypeVar

from {{ cookiecutter.__package }}.bus import Codec, EventStore, Message, MessageBus

from .golden import Schema, example_of, golden
from .harness import Scenario

M = TypeVar("M", bound=Message)


def example(message_type: type[M], an_id: str) -> M:
    """A message of this type, in which every id is this one."""
    stored = golden(message_type)["example"]
    (message,) = Codec([message_type]).decode(json.dumps([with_id(stored, an_id)]))
    return message


def fields(message_type: type[Message], an_id: str) -> dict[str, Any]:
    """The fields of such a message, as JSON has them."""
    stored = with_id(golden(message_type)["example"], an_id)
    return {name: each for name, each in stored.items() if name != "$type"}


def body(schema: Schema, definitions: Schema, an_id: str) -> Any:
    """A body that this schema of an OpenAPI description allows."""
    return with_id(example_of(schema, definitions), an_id)


def with_id(value: dict[str, Any], an_id: str) -> dict[str, Any]:
    """The object, with this id in each field that holds one."""
    return {
        name: an_id if name == "id" or name.endswith("_id") else each
        for name, each in value.items()
    }


def begin(bus: MessageBus, store: EventStore, an_id: str) -> None:
    """Let one aggregate of each kind begin under this id: its first event has happened, and
    nothing follows from it."""
    scenario = Scenario(store)
    for kind in bus.codecs.aggregates.values():
        first = next(iter(kind.appliers))
        scenario.given(example(first, an_id), stream=kind.stream_of(an_id))
