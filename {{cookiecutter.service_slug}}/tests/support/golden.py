"""Golden files: every shape in which an event or a waiting command was released, kept for good.

`make golden` adds a file for each shape that has none. It never changes an existing file:
`Sent.v1.json` has the first shape of version 1, and `Sent.v1.2.json` the one that version got
later, when for example a field with a default was added. A unit test compares the code with the
files.
"""

import json
import sys
from collections.abc import Iterable
from itertools import chain, count
from pathlib import Path
from typing import Any

import msgspec

from {{ cookiecutter.__package }}.bootstrap import SERVICES, make_bus
from {{ cookiecutter.__package }}.bus import (
    Codec,
    Codecs,
    Command,
    Message,
    Registry,
    UnknownEvent,
    Upcasters,
    follow_ups_of,
)
from {{ cookiecutter.__package }}.config import Settings

FOLDER = Path(__file__).parents[1] / "golden"
Schema = dict[str, Any]

FORMATS = {
    "date-time": "2026-01-02T03:04:05Z",
    "date": "2026-01-02",
    "duration": "PT90S",
    "uuid": "12345678-1234-5678-1234-567812345678",
    "decimal": "1.50",
}
"""A value of each format that msgspec has for texts."""

NOTES = {"title", "description", "examples"}
"""What a schema says to readers, and not about values."""


def golden(message_type: type[Message]) -> dict[str, Any]:
    """The JSON schema of a message, and an example of its stored form."""
    schema = msgspec.json.schema(message_type)
    definitions: Schema = schema["$defs"]
    example = example_of(schema, definitions)
    _check(message_type, example)
    own = schema["$ref"].rpartition("/")[2]
    shape = {
        "$message" if name == own else name: {
            key: each for key, each in definition.items() if key not in NOTES
        }
        for name, definition in definitions.items()
    }
    return {"shape": shape, "example": example}


def files_of(message_type: type[Message]) -> list[Path]:
    """The golden files of this version of a message, and at last one that does not exist yet."""
    first = f"{message_type.message_name}.v{message_type.message_version}"
    found = []
    for name in chain([first], (f"{first}.{number}" for number in count(2))):
        found.append(FOLDER / f"{name}.json")
        if not found[-1].exists():
            break
    return found


def service() -> tuple[Codecs, list[type[Message]]]:
    """The codecs of this service, and those of its messages that its store keeps."""
    bus = make_bus(Settings(store="memory"))
    return bus.codecs, [*bus.registry.events, *waiting(bus.registry)]


def waiting(registry: Registry) -> list[type[Message]]:
    """The commands that can wait in the store: the follow-ups that annotations name, and what is
    not `PUBLIC`, because only the service itself sends it. An old one may wait as a dead letter."""
    handlers = chain.from_iterable(registry.events.values())
    follow_ups = {command for handler in handlers for command in follow_ups_of(handler)}
    public = {command for each in SERVICES for command in each.PUBLIC} - follow_ups
    return [command for command in registry.commands if command not in public]


def codec_for(codecs: Codecs, stored: dict[str, Any]) -> Codec[Any]:
    """The codec of a stored message. Raises `UnknownEvent` if it is of no message of this
    service."""
    tag = Upcasters(row for each in SERVICES for row in each.UPCASTERS).end(stored["$type"])
    all_codecs: list[Codec[Any]] = [*codecs.of_events(), codecs.commands]
    for codec in all_codecs:
        if tag in codec.types:
            return codec
    raise UnknownEvent(
        f"{stored['$type']!r} may be in the store, and nothing is stored as {tag!r} any more: keep "
        "its class, rename it with name=, or write an upcaster. If none was ever stored, delete "
        "its golden files"
    )


def example_of(schema: Schema, definitions: Schema) -> Any:  # noqa: PLR0911 - a case each
    """A value of this schema."""
    match schema:
        case {"examples": [first, *_]}:
            return first
        case {"$ref": ref}:
            return example_of(definitions[ref.rpartition("/")[2]], definitions)
        case {"enum": [first, *_]} | {"const": first}:
            return first
        case {"anyOf": [first, *_]}:
            return example_of(first, definitions)
        case {"properties": properties}:
            return {name: example_of(each, definitions) for name, each in properties.items()}
        case {"type": "object"}:
            inner = schema.get("additionalProperties", {})
            return {"key": example_of(inner if isinstance(inner, dict) else {}, definitions)}
        case {"type": "array"}:
            inner = schema.get("prefixItems") or [schema.get("items") or {}]
            return [example_of(each, definitions) for each in inner]
        case {"format": kind} if kind in FORMATS:
            return FORMATS[kind]
        case {"contentEncoding": "base64"}:
            return "w6k="
    samples = {"integer": 7, "number": 1.5, "boolean": True, "null": None}
    return samples.get(schema.get("type", "string"), "é")


def problem(message_type: type[Message]) -> str:
    """What is to be done before this message is released as it is; empty if nothing is."""
    changes, recorded = compared(message_type)
    name = message_type.__name__
    if changes:
        cure = "Give it a new version= and an upcaster, then run `make golden`"
        if issubclass(message_type, Command):
            cure += "; or delete its golden files, if none can wait in a store"
        return f"{name} has been released: {'; '.join(changes)}. {cure}"
    if recorded:
        return ""
    if len(files_of(message_type)) == 1:
        return f"{name} is new: run `make golden` and commit the file"
    return (
        f"{name} has a new shape, which loads what is stored: run `make golden` and commit the new "
        "file beside the old one"
    )


def compared(message_type: type[Message]) -> tuple[list[str], bool]:
    """The changes that break a released shape, and whether the present shape has a golden file."""
    now = golden(message_type)["shape"]
    *files, _ = files_of(message_type)
    released = [json.loads(path.read_text("utf-8"))["shape"] for path in files]
    changes = dict.fromkeys(change for shape in released for change in broken(shape, now))
    return list(changes), any(_bare(shape) == _bare(now) for shape in released)


def _bare(shape: Schema) -> Schema:
    """The shape without what says nothing about values: notes, and the order of fields."""
    return {
        name: {
            **each,
            "properties": {
                field: _without_notes(schema)
                for field, schema in each.get("properties", {}).items()
            },
            "required": sorted(each.get("required", ())),
        }
        for name, each in shape.items()
    }


def broken(released: Schema, now: Schema) -> list[str]:
    """The changes of a released shape after which what is stored means something else, or does not
    load: one line each. A new field with a default is no such change, nor is a new choice."""
    found = []
    for name, before in released.items():
        after = now.get(name)
        if after is None:
            found.append(f"{name} is gone")
        elif "properties" in before:
            found += [f"{name}.{line}" for line in _broken_fields(before, after)]
        elif not _reads(before, after):
            found.append(f"{name} was {before} and is {after}")
    return found


def _broken_fields(before: Schema, after: Schema) -> list[str]:
    found = []
    properties = after.get("properties", {})
    for field, schema in before["properties"].items():
        if field not in properties:
            found.append(f"{field} is gone")
        elif not _reads(schema, properties[field]):
            found.append(f"{field} was {schema} and is {properties[field]}")
    added = set(after.get("required", ())) - set(before["properties"])
    return found + [f"{field} is new and has no default" for field in sorted(added)]


def _check(message_type: type[Message], example: Any) -> None:
    """Raises `ValueError` if the message does not load from its example."""
    try:
        msgspec.json.decode(json.dumps(example), type=message_type)
    except msgspec.ValidationError as error:
        raise ValueError(
            f"{message_type.__name__}: {error}. Nobody can guess a value that is allowed: give the "
            "field an example, as in currency: Annotated[str, msgspec.Meta(examples=['EUR'])]"
        ) from None


def _without_notes(schema: Schema) -> Schema:
    return {key: each for key, each in schema.items() if key not in NOTES}


def _reads(before: Schema, after: Schema) -> bool:
    """Whether a value that was stored under `before` reads as the same value under `after`."""
    before, after = _without_notes(before), _without_notes(after)
    if "default" not in before:
        after.pop("default", None)
    if "enum" in before and set(before["enum"]) <= set(after.get("enum", ())):
        after["enum"] = before["enum"]
    return before == after


def kept(stored: Any, read: Any) -> bool:
    """Whether all that was stored is there after it was read and written again."""
    if isinstance(stored, dict) and isinstance(read, dict):
        return all(name in read and kept(each, read[name]) for name, each in stored.items())
    if isinstance(stored, list) and isinstance(read, list):
        return len(stored) == len(read) and all(map(kept, stored, read))
    return bool(stored == read)


def add(message_types: Iterable[type[Message]]) -> list[Path]:
    """Write the missing golden files. Returns the new files. A shape that breaks a released one
    gets none."""
    new = []
    for message_type in message_types:
        changes, recorded = compared(message_type)
        if not changes and not recorded:
            text = json.dumps(golden(message_type), indent=2, ensure_ascii=False)
            new.append(files_of(message_type)[-1])
            new[-1].write_text(f"{text}\n", "utf-8")
    return new


if __name__ == "__main__":
    stored = service()[1]
    for path in add(stored):
        print(f"new: {path.relative_to(FOLDER.parents[1])}")
    if problems := list(filter(None, map(problem, stored))):
        sys.exit("\n".join(problems))
