{{ aggregate_part.instead_of('"""What') }}
"""What {{ cookiecutter.__plural_words }} do, from being created to being archived."""

import json
{{ aggregate_part.instead_of('AggregateExists') }}
from {{ cookiecutter.__package }}.bus import AggregateExists, AggregateNotFound
{{ aggregate_part.through('    commands,') }}
    errors,
{{ aggregate_part.through('import Scenario') }}

process = commands.Process{{ cookiecutter.__aggregate }}(
    {{ cookiecutter.__aggregate_snake }}_id="a",
)
archive = commands.Archive{{ cookiecutter.__aggregate }}(
    {{ cookiecutter.__aggregate_snake }}_id="a",
)
processed = events.{{ cookiecutter.__aggregate }}Processed(
    {{ cookiecutter.__aggregate_snake }}_id="a",
    result={"fields": ["item"]},
)
archived = events.{{ cookiecutter.__aggregate }}Archived(
    {{ cookiecutter.__aggregate_snake }}_id="a",
    location="memory:{{ cookiecutter.__plural_snake }}/a.json",
)
failing = events.{{ cookiecutter.__aggregate }}Created(
    {{ cookiecutter.__aggregate_snake }}_id="a",
    data={"fail": "out of stock"},
)
failed = events.{{ cookiecutter.__aggregate }}Failed(
    {{ cookiecutter.__aggregate_snake }}_id="a",
    reason="out of stock",
)
{{ aggregate_part.rest }}


def test_once_created_it_is_processed_and_archived(scenario: Scenario) -> None:
    scenario.when(create).then(created, processed, archived)


def test_creating_it_leads_to_processing_it(scenario: Scenario) -> None:
    scenario.when(create, alone=True).then(created).then_pending(process)


def test_processing_it_leads_to_archiving_it(scenario: Scenario) -> None:
    scenario.given(created).when(process, alone=True).then(processed).then_pending(archive)


def test_archiving_it_ends_the_workflow(scenario: Scenario) -> None:
    scenario.given(created, processed).when(archive).then(archived).then_pending()


def test_when_the_work_fails_the_reason_is_recorded_and_nothing_follows(scenario: Scenario) -> None:
    scenario.given(failing).when(process).then(failed).then_pending()


def test_what_does_not_exist_cannot_be_processed(scenario: Scenario) -> None:
    scenario.when(process).then_refused(AggregateNotFound)


def test_it_is_not_processed_twice(scenario: Scenario) -> None:
    again = scenario.given(created, processed).when(process)
    again.then_refused(errors.AlreadyProcessed, "a has already been processed")


def test_without_a_result_nothing_is_archived(scenario: Scenario) -> None:
    refused = scenario.given(failing, failed).when(archive)
    refused.then_refused(errors.NotProcessed, "a has no result to archive")
    assert scenario.files.files == {}


def test_the_archive_holds_the_data_and_the_result(scenario: Scenario) -> None:
    scenario.when(create)
    content = json.loads(scenario.files.get("{{ cookiecutter.__plural_snake }}/a.json"))
    assert content == {"id": "a", "data": {"item": "book"}, "result": {"fields": ["item"]}}


def test_its_state_as_of_each_version_is_what_had_happened_then(scenario: Scenario) -> None:
    scenario.given(created, processed, archived)
    seen = [
        scenario.ask(
            queries.Get{{ cookiecutter.__aggregate }}(
                {{ cookiecutter.__aggregate_snake }}_id="a",
                at=version,
            )
        )
        for version in (1, 2, 3, None)
    ]
    assert [view.status for view in seen] == ["created", "processed", "archived", "archived"]
    assert [view.version for view in seen] == [1, 2, 3, 3]
    assert seen[-1].location == archived.location


def test_its_history_says_what_happened_when_and_why(scenario: Scenario) -> None:
    scenario.when(create)
    history = scenario.ask(
        queries.Get{{ cookiecutter.__aggregate }}History(
            {{ cookiecutter.__aggregate_snake }}_id="a",
        )
    )
    assert [each.event for each in history] == [created, processed, archived]
    assert [each.version for each in history] == [1, 2, 3]
    assert [each.causation_id for each in history] == ["id-1", "id-2", "id-3"]
    assert [each.command for each in history] == [
        "Create{{ cookiecutter.__aggregate }}",
        "Process{{ cookiecutter.__aggregate }}",
        "Archive{{ cookiecutter.__aggregate }}",
    ]
    assert {each.correlation_id for each in history} == {"id-1"}
    assert {each.recorded_at for each in history} == {scenario.clock.now()}
