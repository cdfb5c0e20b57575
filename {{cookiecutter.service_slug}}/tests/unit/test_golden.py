"""Released events: what is in somebody's log loads, today and after every change."""

import json
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal, cast

import msgspec
import pytest

from {{ cookiecutter.__package }}.bus import Event
from {{ cookiecutter.__package }}.bus.model.messages import MessageType

from ..support import golden

FILES = sorted(golden.FOLDER.glob("*.json"))
CODECS, EVENTS = golden.service()


def test_there_are_released_shapes() -> None:
    assert FILES


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_released_event_loads_and_is_written_as_it_was(path: Path) -> None:
    stored = json.loads(path.read_text("utf-8"))["example"]
    codec = golden.codec_for(CODECS, stored)
    (event,) = codec.decode(json.dumps([stored]))
    (written,) = json.loads(codec.encode([event]))
    if written["$type"] == stored["$type"]:
        assert stored.items() <= written.items()


@pytest.mark.parametrize("event_type", EVENTS, ids=lambda each: each.__name__)
def test_the_shape_of_a_released_event_stays(event_type: type[Event]) -> None:
    path = golden.file_of(event_type)
    assert path.exists(), f"{event_type.__name__} is new: run `make golden` and commit the file"
    released = json.loads(path.read_text("utf-8"))
    changes = golden.broken(released["shape"], golden.golden(event_type)["shape"])
    assert not changes, (
        f"{event_type.__name__} has been released: {'; '.join(changes)}. Give it a new version= and "
        "an upcaster, then run `make golden`"
    )


# The judge itself


class Before(Event, name="Noted"):
    text: str
    level: Literal["low", "high"]
    tags: list[str] = []  # noqa: RUF012 - msgspec copies it
    count: int = 1


def shape(event_type: type[Event]) -> dict[str, Any]:
    found: dict[str, Any] = golden.golden(event_type)["shape"]
    return found


def variant(**changes: Any) -> type[Event]:
    fields: dict[str, Any] = {**Before.__annotations__}
    defaults: dict[str, Any] = {"tags": [], "count": 1}
    for name, change in changes.items():
        fields.pop(name, None)
        defaults.pop(name, None)
        if change is not None:
            fields[name], *default = change
            defaults |= dict.fromkeys([name] * len(default), *default)
    body = {"__annotations__": fields, "__module__": __name__, **defaults}
    return cast(type[Event], MessageType("Noted", (Event,), body))


@pytest.mark.parametrize(
    "changes",
    [
        {"text": None},
        {"tags": None},
        {"text": [int]},
        {"text": [str | None]},
        {"new": [str]},
        {"count": [int, 2]},
        {"count": [int]},
        {"tags": [list[int], []]},
        {"level": [Literal["low"]]},
        {"text": None, "renamed": [str, ""]},
    ],
    ids=str,
)
def test_a_change_that_breaks_what_is_stored_is_refused(changes: dict[str, Any]) -> None:
    assert golden.broken(shape(Before), shape(variant(**changes)))


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"new": [str, "none"]},
        {"text": [str, "none"]},
        {"level": [Literal["low", "high", "higher"]]},
        {"text": [Annotated[str, msgspec.Meta(examples=["hello"], description="what it says")]]},
    ],
    ids=str,
)
def test_a_change_that_breaks_nothing_is_let_pass(changes: dict[str, Any]) -> None:
    assert golden.broken(shape(Before), shape(variant(**changes))) == []


class Temperature(msgspec.Struct, frozen=True):
    """A value object: not every number and every text is one."""

    degrees: Decimal
    scale: str

    def __post_init__(self) -> None:
        if self.scale not in ("C", "F"):
            raise ValueError("the scale is C or F")


class WithExample(Temperature, frozen=True):
    scale: Annotated[str, msgspec.Meta(examples=["C", "F"])]


def test_the_example_of_a_value_object_is_one_that_it_allows() -> None:
    class Measured(Event):
        value: WithExample
        for_: timedelta
        raw: bytes

    example = golden.golden(Measured)["example"]
    assert example["value"] == {"degrees": "1.50", "scale": "C"}


def test_a_value_object_that_allows_no_example_says_so() -> None:
    class Measured(Event):
        value: Temperature

    with pytest.raises(ValueError, match=r"Measured: the scale is C or F .*give the field an exam"):
        golden.golden(Measured)
