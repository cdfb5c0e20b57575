"""The harness itself can fail: each test here is a specification that is wrong."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from {{ cookiecutter.__package }}.bus import (
    AggregateExists,
    AggregateNotFound,
    Command,
    Dispatch,
    DomainError,
    Event,
    Query,
    Reader,
    UnitOfWork,
    applies,
)
from {{ cookiecutter.__package }}.domain.{{ cookiecutter.__aggregate_snake }} import (
    aggregate,
    commands,
    errors,
    events,
)
from {{ cookiecutter.__package }}.service import {{ cookiecutter.__aggregate_snake }} as service

from ..support import harness
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
archive = commands.Archive{{ cookiecutter.__aggregate }}(
    {{ cookiecutter.__aggregate_snake }}_id="a",
)
processed = events.{{ cookiecutter.__aggregate }}Processed(
    {{ cookiecutter.__aggregate_snake }}_id="a",
    result={"fields": []},
)
archived = events.{{ cookiecutter.__aggregate }}Archived(
    {{ cookiecutter.__aggregate_snake }}_id="a",
    location="memory:{{ cookiecutter.__plural_snake }}/a.json",
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
    for wrong in ([process, process], [archive], []):
        with pytest.raises(AssertionError, match=r"pending are\s+Process.*: next attempt"):
            scenario.then_pending(*wrong)


# A command that is due later


@pytest.fixture
def due(scenario: Scenario, monkeypatch: pytest.MonkeyPatch) -> datetime:
    """Processing one records nothing, and has it archived at this time."""
    due = scenario.clock.now() + timedelta(hours=1)

    def later(_self: Any, _command: Command, uow: UnitOfWork) -> None:
        uow.schedule(archive, due)

    handler = service.command_handlers.Process{{ cookiecutter.__aggregate }}Handler
    monkeypatch.setattr(handler, "handle", later)
    return due


def test_what_is_scheduled_is_pending_until_it_is_due(scenario: Scenario, due: datetime) -> None:
    scenario.given(created({}), processed).when(process).then_nothing()
    scenario.then_scheduled(archive, due).then_pending(archive)
    with pytest.raises(AssertionError, match=r"pending are\s+Archive.*: due time"):
        scenario.then_pending()
    for command, at in ((archive, due + timedelta(seconds=1)), (process, due)):
        with pytest.raises(AssertionError, match=r"scheduled are\s+Archive.*: due time"):
            scenario.then_scheduled(command, at)


def test_time_that_passes_runs_what_becomes_due(scenario: Scenario, due: datetime) -> None:
    scenario.given(created({}), processed).when(process)
    scenario.advance(minutes=59).then_nothing().then_scheduled(archive, due)
    scenario.advance(minutes=1).then(archived).then_pending()
    scenario.advance(days=1).then_nothing()


def test_what_becomes_due_runs_at_its_own_time(scenario: Scenario, due: datetime) -> None:
    scenario.given(created({}), processed).when(process).advance(days=1).then(archived)
    assert [each.recorded_at for each in scenario.recorded] == [due]
    assert scenario.clock.now() == due + timedelta(hours=23)


def test_a_command_that_waits_for_its_next_attempt_is_not_scheduled(scenario: Scenario) -> None:
    scenario.when(create({}), alone=True)
    with pytest.raises(AssertionError, match="scheduled are none"):
        scenario.then_scheduled(process, scenario.clock.now() + Dispatch().grace)


def test_what_fails_while_time_passes_fails_the_specification(
    scenario: Scenario, due: datetime
) -> None:
    scenario.given(created({})).when(process).then_nothing()
    with pytest.raises(AssertionError, match="NotProcessed"):
        scenario.advance(hours=2).then_nothing()


def test_time_does_not_pass_where_something_is_always_due(
    scenario: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    def again(_self: Any, _command: Command, uow: UnitOfWork) -> None:
        uow.schedule(process, scenario.clock.now())

    handler = service.command_handlers.Process{{ cookiecutter.__aggregate }}Handler
    monkeypatch.setattr(handler, "handle", again)
    monkeypatch.setattr(harness, "ROUNDS", 3)
    with pytest.raises(AssertionError, match=r"always something due:\s+Process"):
        scenario.when(process).advance(seconds=1)


# Who sends it


def test_what_comes_next_has_the_context_of_who_sends_it(scenario: Scenario) -> None:
    scenario.as_(actor="ann", correlation_id="c-1").given(created({}))
    scenario.as_(actor="ben", tenant="acme").when(process).then(processed, archived)
    query = service.queries.Get{{ cookiecutter.__aggregate }}History(
        {{ cookiecutter.__aggregate_snake }}_id="a",
    )
    contexts = [each.context for each in scenario.ask(query)]
    assert [each.actor for each in contexts] == ["ann", "ben", "ben"]
    assert [each.tenant for each in contexts] == [None, "acme", "acme"]
    assert contexts[0].correlation_id == "c-1" != contexts[1].correlation_id
    with pytest.raises(TypeError, match="acter"):
        scenario.as_(acter="ann")


def test_a_query_has_the_context_of_who_asks(
    scenario: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    def who(_self: Any, _query: Query[Any], reader: Reader) -> str:
        return reader.context.actor

    monkeypatch.setattr(service.queries.Get{{ cookiecutter.__aggregate }}Handler, "handle", who)
    query = service.queries.Get{{ cookiecutter.__aggregate }}(
        {{ cookiecutter.__aggregate_snake }}_id="a",
    )
    assert scenario.as_(actor="ann").ask(query) == "ann"


def test_a_read_model_that_is_asked_has_seen_everything(scenario: Scenario) -> None:
    scenario.given(created({}), processed)
    page = scenario.ask(service.queries.Get{{ cookiecutter.__aggregate }}List())
    assert [(row.id, row.status) for row in page.items] == [("a", "processed")]


# Events that are given


class Noted(Event):
    text: str


class Special(aggregate.{{ cookiecutter.__aggregate }}):
    """An aggregate below another one."""

    @applies(Noted)
    def _noted(self, event: Noted) -> None:
        self.location = event.text


def test_an_event_that_nothing_applies_cannot_have_happened(scenario: Scenario) -> None:
    with pytest.raises(AssertionError, match="no aggregate of this service applies Noted"):
        scenario.given(Noted(text="x"))


def test_an_event_is_given_to_the_stream_that_is_named(
    scenario: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "EVENTS", (*service.EVENTS, (Noted, [])))
    for event, stream, wrong in (
        (Noted(text="x"), "", "Noted is applied by Special, but has no field special_id: name"),
        (Noted(text="x"), "Other/1", "applied by Special, and 'Other/1' is no such stream"),
        (created({}), "", "is applied by {{ cookiecutter.__aggregate }} and Special: name its stream"),
    ):
        with pytest.raises(AssertionError, match=wrong):
            scenario.given(event, stream=stream)
    scenario.given(created({}), Noted(text="x"), stream="Special/1")
    assert scenario.store.load("Special/1").position.version == 2
