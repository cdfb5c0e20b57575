"""The log: what goes wrong is in it, once, with the reason, and steers no terminal."""

import io
import logging
from collections.abc import Callable
from functools import partial
from typing import Any, Literal
from unicodedata import category

import pytest
import structlog

from {{ cookiecutter.__package }} import bootstrap
from {{ cookiecutter.__package }}.adapters.event_store.memory import MemoryEventStore
from {{ cookiecutter.__package }}.bus import (
    Codec,
    CodecError,
    Context,
    Dispatch,
    DomainError,
    Event,
    StoreError,
    StoreUnavailable,
)
from {{ cookiecutter.__package }}.config import Settings
from {{ cookiecutter.__package }}.observability import log
from {{ cookiecutter.__package }}.observability.text import UNSAFE

from ..parcel import commands
from ..support.faults import Fault, faulty
from ..support.logged import Lines, lines, logging_to

__all__ = ["lines"]

NAME = "Parcel"
EVIL = "\x1b[31m\u202e\u2066\x9b2J\u2028\r\n"


def park(fault: Fault) -> None:
    """Park the first follow-up of the workflow, on a store that does this."""
    store = MemoryEventStore()
    bus = bootstrap.make_bus(
        Settings(store="memory"),
        store=faulty(store, lambda name: fault if name == "park" else Fault.NONE),
        dispatch=Dispatch(steps=0),
    )
    create = commands.CreateParcel(
        parcel_id="a",
        data={"secret": "hunter2"},
    )
    bus.handle(create, context=Context("story", actor="ann"))
    (row,) = store.pending(f"{NAME}/a")
    for _ in range(2):
        bus.park(row, "Refused: it is late")


def test_a_dead_letter_is_one_error_line_that_says_all_of_it(lines: Lines) -> None:
    park(Fault.NONE)
    handled, dead = lines()
    assert handled["event"] == "handled"
    del dead["timestamp"], dead["message_id"]
    assert dead == {
        "event": "dead letter",
        "level": "error",
        "logger": handled["logger"],
        "message": f"Process{NAME}",
        "key": f"{NAME}/a@1#0",
        "stream": f"{NAME}/a",
        "attempts": 1,
        "reason": "Refused: it is late",
        "correlation_id": "story",
        "causation_id": f"{NAME}/a@1",
        "actor": "ann",
        "depth": 1,
    }


@pytest.mark.parametrize("fault", [Fault.BEFORE, Fault.AFTER])
def test_a_dead_letter_that_may_not_be_stored_is_an_error_line_too(
    lines: Lines, fault: Fault
) -> None:
    with pytest.raises(StoreUnavailable):
        park(fault)
    _, dead = lines()
    assert (dead["event"], dead["level"]) == ("dead letter not stored", "error")
    assert (dead["key"], dead["reason"]) == (f"{NAME}/a@1#0", "Refused: it is late")
    assert dead["cause"] == f"park: a fault, {fault.value}"


class Chosen(Event):
    colour: Literal["red", "blue"]


def test_a_refusal_says_why_and_repeats_no_value(lines: Lines) -> None:
    log.log_error(DomainError("a has been processed"))
    wrong: Any = "hunter2"
    with pytest.raises(CodecError) as refused:
        Codec[Event]([Chosen]).encode([Chosen(colour=wrong)])
    log.log_error(refused.value)
    assert [(line["event"], line["reason"]) for line in lines()] == [
        ("refused", "a has been processed"),
        ("refused", "Chosen cannot be stored: Invalid enum value - at `$[0].colour`"),
    ]


def test_what_a_store_refuses_is_logged_with_its_reason(lines: Lines) -> None:
    log.log_error(StoreUnavailable("SQLite: the disk is full"))
    (line,) = lines()
    assert (line["level"], line["reason"]) == ("warning", "SQLite: the disk is full")


class Seconds:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_what_fails_again_and_again_is_logged_once_a_minute_and_when_it_changes(
    lines: Lines,
) -> None:
    clock = Seconds()
    outages = log.Outages("subscriber", clock)

    def fail(*errors: Exception) -> list[tuple[str, str]]:
        before = len(lines())
        for error in errors:
            outages.failed("list", error)
        return [(each["subscriber"], each["reason"]) for each in lines()[before:]]

    away, full = ("list", "away"), ("list", "full")
    assert fail(*[StoreUnavailable("away") for _ in range(240)]) == [away]
    assert fail(StoreError("full"), StoreUnavailable("away"), StoreError("full")) == [full]
    clock.now = 59.9
    assert fail(StoreUnavailable("away")) == []
    clock.now = 60.0
    assert fail(StoreUnavailable("away"), StoreUnavailable("away")) == [away]
    outages.failed("other", StoreUnavailable("away"))
    for _ in range(2):
        outages.works("list")
        outages.works("never failed")
    other, works = lines()[-2:]
    assert (other["subscriber"], other["event"]) == ("other", "not stored")
    assert (works["subscriber"], works["event"]) == ("list", "works again")
    assert fail(StoreUnavailable("away")) == [away]


class Screen(io.StringIO):
    """A terminal."""

    def isatty(self) -> bool:
        return True


def refuse() -> None:
    log.log_error(DomainError(f"no {EVIL}"))


def fail() -> None:
    try:
        raise RuntimeError(f"no {EVIL}") from ValueError(EVIL)
    except RuntimeError as error:
        log.log_error(error, log.logger.bind(actor=EVIL, found=[EVIL, {EVIL: EVIL}]))


def fail_in_a_library() -> None:
    try:
        raise RuntimeError(EVIL)
    except RuntimeError:
        logging.getLogger("a.library").exception("no %s", EVIL)


@pytest.mark.parametrize("act", [refuse, fail, fail_in_a_library])
def test_no_line_steers_the_terminal_it_is_shown_on(
    monkeypatch: pytest.MonkeyPatch, act: Callable[[], None]
) -> None:
    plain = partial(structlog.dev.ConsoleRenderer, colors=False)  # colours are such characters
    monkeypatch.setattr(structlog.dev, "ConsoleRenderer", plain)
    with logging_to(Screen()) as screen:
        act()
    written = screen.getvalue()
    assert r"\u202e" in written
    assert {category(each) for each in written.replace("\n", "")}.isdisjoint(UNSAFE)
