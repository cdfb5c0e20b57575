"""What {{ cookiecutter.__command }} leads to."""

from {{ cookiecutter.__package }}.bus import AggregateNotFound
from {{ cookiecutter.__package }}.domain.{{ cookiecutter.__aggregate_snake }} import commands, events

from ..support.harness import Scenario

command = commands.{{ cookiecutter.__command }}(
    {{ cookiecutter.__aggregate_snake }}_id="a",
)
event = events.{{ cookiecutter.__event }}(
    {{ cookiecutter.__aggregate_snake }}_id="a",
)


def test_what_it_leads_to(scenario: Scenario) -> None:
    """Give it the events that come before, and say what follows when they forbid it."""
    scenario.given(event).when(command).then(event)


def test_it_needs_one_that_is_there(scenario: Scenario) -> None:
    scenario.when(command).then_refused(AggregateNotFound)
