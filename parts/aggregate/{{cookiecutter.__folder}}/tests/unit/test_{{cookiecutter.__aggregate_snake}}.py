"""What happens to {{ cookiecutter.__plural_words }}."""

from {{ cookiecutter.__package }}.bus import AggregateExists
from {{ cookiecutter.__package }}.domain.{{ cookiecutter.__aggregate_snake }} import (
    commands,
    events,
)
from {{ cookiecutter.__package }}.service.{{ cookiecutter.__aggregate_snake }} import queries

from ..support.harness import Scenario

create = commands.Create{{ cookiecutter.__aggregate }}(
    {{ cookiecutter.__aggregate_snake }}_id="a",
    data={"item": "book"},
)
created = events.{{ cookiecutter.__aggregate }}Created(
    {{ cookiecutter.__aggregate_snake }}_id="a",
    data={"item": "book"},
)


def test_it_is_created(scenario: Scenario) -> None:
    scenario.when(create, alone=True).then(created)


def test_an_id_is_taken_once(scenario: Scenario) -> None:
    scenario.given(created).when(create).then_refused(AggregateExists)


def test_its_state_can_be_asked_for_as_of_any_version(scenario: Scenario) -> None:
    scenario.given(created)
    first = scenario.ask(
        queries.Get{{ cookiecutter.__aggregate }}(
            {{ cookiecutter.__aggregate_snake }}_id="a",
            at=1,
        )
    )
    assert (first.id, first.version) == ("a", 1)
    assert (first.status, first.data) == ("created", created.data)
