"""The harness itself can fail: each test here is a specification that is wrong."""

from typing import Any

import pytest

from {{ cookiecutter.__package }}.bus import (
    AggregateExists,
    AggregateNotFound,
    DomainError,
)
from {{ cookiecutter.__package }}.domain.{{ cookiecutter.__aggregate_snake }} import (
    commands,
    errors,
    events,
)

from ..support.harness import Scenario


def create(data: dict[str, Any]) -> commands.Create{{ cookiecutter.__aggregate }}:
    return commands.Create{{ cookiecutter.__aggregate }}(
        {{ cookiecutter.__aggregate_snake }}_id="a",
        data=data,
    )


def created(data: dict[str, Any]) -> events.{{ cookiecutter.__aggregate }}Created:
    return events.{{ cookiecutter.__aggregate }}Created(
        {{ cookiecutter.__aggregate_snake }}_id="a",
        data=data,
    )


def failed(reason: str) -> events.{{ cookiecutter.__aggregate }}Failed:
    return events.{{ cookiecutter.__aggregate }}Failed(
        {{ cookiecutter.__aggregate_snake }}_id="a",
        reason=reason,
    )


process = commands.Process{{ cookiecutter.__aggregate }}(
    {{ cookiecutter.__aggregate_snake }}_id="a",
)


def test_what_happened_is_compared_by_order_number_and_field(scenario: Scenario) -> None:
    scenario.when(create({"fail": "x"})).then(created({"fail": "x"}), failed("x"))
    for wrong in (
        [failed("x"), created({"fail": "x"})],
        [created({"fail": "x"})],
        [created({"fail": "x"}), failed("x"), failed("x")],
        [created({"fail": "x"}), failed("y")],
        [created({"fail": "y"}), failed("x")],
        [],
    ):
        with pytest.raises(AssertionError, match="expected"):
            scenario.then(*wrong)
    with pytest.raises(AssertionError):
        scenario.then_nothing()


def test_a_refusal_is_of_exactly_the_type_that_is_expected(scenario: Scenario) -> None:
    scenario.given(created({})).when(create({})).then_refused(AggregateExists)
    for wrong in (AggregateNotFound, errors.AlreadyProcessed, DomainError):
        with pytest.raises(AssertionError, match="expected"):
            scenario.then_refused(wrong)


def test_a_refused_command_did_not_do_nothing(scenario: Scenario) -> None:
    scenario.when(process)
    with pytest.raises(AssertionError, match="AggregateNotFound"):
        scenario.then_nothing()


def test_a_command_that_was_taken_was_not_refused(scenario: Scenario) -> None:
    scenario.when(create({}))
    with pytest.raises(AssertionError, match="it was not refused"):
        scenario.then_refused(AggregateExists)


def test_a_follow_up_that_fails_fails_the_specification(
    scenario: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(name: str, content: bytes) -> str:
        raise OSError("the disk is full")

    monkeypatch.setattr(scenario.files, "put", broken)
    scenario.when(create({}))
    with pytest.raises(AssertionError, match="the disk is full"):
        scenario.then(created({}))


def test_what_is_pending_is_compared_too(scenario: Scenario) -> None:
    scenario.when(create({}), alone=True).then(created({})).then_pending(process)
    with pytest.raises(AssertionError, match="expected"):
        scenario.then_pending(process, process)
