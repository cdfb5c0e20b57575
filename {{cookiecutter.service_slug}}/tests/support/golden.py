"""Golden files: the shape that each event had when it was first released, kept for good.

`make golden` adds a file for each event that has none. It never changes an existing file. A unit
test compares the code with the files.
"""

import json
from pathlib import Path
from typing import Any

import msgspec

from {{ cookiecutter.__package }}.bootstrap import make_bus
from {{ cookiecutter.__package }}.bus import Codec, Codecs, Event, UnknownEvent
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


def golden(event_type: type[Event]) -> dict[str, Any]:
    """The JSON schema of an event, and an example of its stored form."""
    schema = msgspec.json.schema(event_type)
    definitions: Schema = schema["$defs"]
    example = example_of(schema, definitions)
    _check(event_type, example)
    own = schema["$ref"].rpartition("/")[2]
    shape = {
        "$message" if name == own else name: {
            key: each for key, each in definition.items() if key not in NOTES
        }
        for name, definition in definitions.items()
    }
    return {"shape": shape, "example": example}


def file_of(event_type: type[Event]) -> Path:
    """The golden file of an event, named by its stored name and version."""
    return FOLDER / f"{event_type.message_name}.v{event_type.message_version}.json"


def service() -> tuple[Codecs, list[type[Event]]]:
    """The codecs of this service, and its events."""
    bus = make_bus(Settings(store="memory"))
    events = [each for each in bus.registry.events if issubclass(each, Event)]
    return bus.codecs, events


def codec_for(codecs: Codecs, stored: dict[str, Any]) -> Codec[Event]:
    """The codec that can decode a stored event. Raises `UnknownEvent` if none can."""
    unknown: UnknownEvent | None = None
    for codec in codecs.of_events():
        try:
            codec.decode(json.dumps([stored]))
        except UnknownEvent as error:
            unknown = error
        else:
            return codec
    raise unknown or UnknownEvent("this service has no events")


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


def broken(released: Schema, now: Schema) -> list[str]:
    """The changes of released shapes after which stored events mean something else, or do not load:
    one line each. A new field with a default is no such change, nor is a new choice."""
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


def _check(event_type: type[Event], example: Any) -> None:
    """Raises `ValueError` if the event does not load from its example."""
    try:
        msgspec.json.decode(json.dumps(example), type=event_type)
    except msgspec.ValidationError as error:
        raise ValueError(
            f"{event_type.__name__}: {error}. Nobody can guess a value that is allowed: give the "
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


def add() -> list[Path]:
    """Write the missing golden files. Returns the new files."""
    new = [(file_of(each), golden(each)) for each in service()[1] if not file_of(each).exists()]
    for path, content in new:
        path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", "utf-8")
    return [path for path, _ in new]


if __name__ == "__main__":
    for path in add():
        print(f"new: {path.relative_to(FOLDER.parents[1])}")
