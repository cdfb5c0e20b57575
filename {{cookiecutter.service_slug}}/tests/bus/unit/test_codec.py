"""What can be stored comes back equal; what cannot is refused first."""

import types
from typing import Any

import pytest

from {{ cookiecutter.__package }}.bus import (
    Codec,
    CodecError,
    ConfigurationError,
    Event,
    UnknownEvent,
)


class Noted(Event):
    value: Any = None
    count: int = 0


class Placed(Event, name="Ordered", version=2):
    count: int


class Ordered(Event):
    count: int


codec = Codec[Event]([Noted, Placed])


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        0.1,
        -0.0,
        1e308,
        10**30,
        "\0\u2028é𐍈",
        [1, [2, {}]],
        {"": {"$type": "Noted"}},
        "x" * 100_000,
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_value_comes_back_equal(value: Any) -> None:
    text = codec.encode([Noted(value=value), Placed(count=1)])
    assert codec.decode(text) == [Noted(value=value), Placed(count=1)]


@pytest.mark.parametrize(
    "value",
    [
        float("nan"),
        float("inf"),
        [-float("inf")],
        "\ud800",
        {"\udc00": 1},
        (1, 2),
        {1: 2},
        {1, 2},
        b"bytes",
        object(),
        10**5000,
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_value_that_would_be_lost_is_refused(value: Any) -> None:
    with pytest.raises(CodecError, match="Noted cannot be stored"):
        codec.encode([Noted(value=value)])


def test_a_field_of_the_wrong_type_is_refused() -> None:
    wrong: Any = "three"
    with pytest.raises(CodecError, match="Noted"):
        codec.encode([Noted(count=wrong)])


def test_nesting_that_cannot_be_read_back_is_refused() -> None:
    deep: Any = []
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(CodecError, match="Noted"):
        codec.encode([Noted(value=deep)])
    while deep:  # taken apart by hand: freeing it in one go is as deep
        (deep,) = deep


def test_the_text_is_readable_and_names_type_and_version() -> None:
    assert codec.encode([Noted(value=1, count=2)]) == '[{"$type":"Noted","value":1,"count":2}]'
    assert codec.encode([Placed(count=2)]) == '[{"$type":"Ordered.v2","count":2}]'


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('[{"$type":"Vanished"}]', "'Vanished' is not known"),
        ('[{"$type":"Ordered.v3","count":1}]', r"'Ordered\.v3' is not known"),
        ('[{"$type":"Ordered.v2"}]', "shape"),
        ('[{"$type":"Noted","count":"x"}]', "shape"),
        ('[{"count":1}]', "None is not known"),
    ],
)
def test_what_is_not_known_is_never_guessed(text: str, reason: str) -> None:
    with pytest.raises(UnknownEvent, match=reason):
        codec.decode(text)


def test_two_types_of_one_stored_name_are_refused() -> None:
    class Other(Event, name="Noted"):
        pass

    with pytest.raises(ConfigurationError, match="Noted and Other are both stored as 'Noted'"):
        Codec[Event]([Noted, Other])
    Codec[Event]([Placed, Ordered])


def test_messages_are_frozen_and_keyword_only() -> None:
    with pytest.raises(TypeError):
        Noted(1)  # type: ignore[call-arg]
    with pytest.raises(AttributeError):
        Noted().count = 1  # type: ignore[misc]


@pytest.mark.parametrize("options", [{"name": "a.b"}, {"version": 0}])
def test_a_name_that_could_be_mistaken_is_refused(options: dict[str, Any]) -> None:
    with pytest.raises(TypeError, match="Odd"):
        types.new_class("Odd", (Event,), options)
