"""What happens to {{ cookiecutter.__plural_words }}."""

from {{ cookiecutter.__package }}.bus import AggregateExists, AggregateNotFound
from {{ cookiecutter.__package }}.domain.{{ cookiecutter.__aggregate_snake }} import (
    commands,
    errors,
    events,
)
from {{ cookiecutter.__package }}.service.{{ cookiecutter.__aggregate_snake }} import queries

from ..support.harness import Scenario

create = commands.Create{{ cookiecutter.__aggregate }}(
    {{ cookiecutter.__aggregate_snake }}_id="a",
    data={"x": 1},
)
close = commands.Close{{ cookiecutter.__aggregate }}(
    {{ cookiecutter.__aggregate_snake }}_id="a",
    reason="done",
)
created = events.{{ cookiecutter.__aggregate }}Created(
    {{ cookiecutter.__aggregate_snake }}_id="a",
    data={"x": 1},
)
closed = events.{{ cookiecutter.__aggregate }}Closed(
    {{ cookiecutter.__aggregate_snake }}_id="a",
    reason="done",
)


def test_it_is_created(scenario: Scenario) -> None:
    scenario.when(create).then(created)


def test_an_id_is_taken_once(scenario: Scenario) -> None:
    scenario.given(created).when(create).then_refused(AggregateExists)


def test_it_is_closed_once(scenario: Scenario) -> None:
    scenario.given(created).when(close).then(closed)
    scenario.when(close).then_refused(errors.{{ cookiecutter.__aggregate }}IsClosed, "a is closed")


def test_what_does_not_exist_cannot_be_closed(scenario: Scenario) -> None:
    scenario.when(close).then_refused(AggregateNotFound)


def test_its_state_can_be_asked_for_as_of_any_version(scenario: Scenario) -> None:
    scenario.given(created, closed)
    seen = [
        scenario.ask(
            queries.Get{{ cookiecutter.__aggregate }}(
                {{ cookiecutter.__aggregate_snake }}_id="a",
                at=version,
            )
        )
        for version in (1, 2, None)
    ]
    assert [view.status for view in seen] == ["open", "closed", "closed"]
