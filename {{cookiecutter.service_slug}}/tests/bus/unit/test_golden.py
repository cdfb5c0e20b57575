"""Golden files: which change breaks a released shape, and what is recorded."""

from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal, cast

import msgspec
import pytest

from {{ cookiecutter.__package }}.bus import Event
from {{ cookiecutter.__package }}.bus.model.messages import MessageType

from ...support import golden


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


# The recorder


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(golden, "FOLDER", tmp_path)
    return tmp_path


def test_a_field_with_a_default_is_recorded_beside_the_old_shape_and_kept_from_then_on(
    folder: Path,
) -> None:
    assert "is new: run `make golden`" in golden.problem(Before)
    assert golden.add([Before]) == [folder / "Noted.v1.json"]
    first = (folder / "Noted.v1.json").read_bytes()

    longer = variant(new=[str, "none"])
    assert "run `make golden` and commit the new file" in golden.problem(longer)
    assert golden.add([longer]) == [folder / "Noted.v1.2.json"]
    assert golden.problem(longer) == ""
    assert golden.add([longer]) == []
    assert (folder / "Noted.v1.json").read_bytes() == first

    for changes in ({}, {"new": [int, 0]}, {"new": None, "renamed": [str, "none"]}):
        assert "new version= and an upcaster" in golden.problem(variant(**changes))
        assert golden.add([variant(**changes)]) == []


def test_the_order_of_fields_and_a_note_are_no_change(folder: Path) -> None:
    golden.add([Before])
    noted = Annotated[str, msgspec.Meta(examples=["hello"], description="what it says")]
    assert golden.problem(variant(text=[noted])) == ""


def test_what_was_stored_is_all_there_after_reading_also_within() -> None:
    stored = {"price": {"cents": 7}, "tags": ["a"]}
    assert golden.kept(stored, {"price": {"cents": 7, "currency": "EUR"}, "tags": ["a"], "new": 1})
    for lost in ({"price": {}, "tags": ["a"]}, {"price": {"cents": 7}, "tags": []}):
        assert not golden.kept(stored, lost)
