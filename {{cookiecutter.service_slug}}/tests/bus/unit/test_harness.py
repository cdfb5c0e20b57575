"""The harness itself can fail: each test here is a specification that is wrong."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from {{ cookiecutter.__package }} import bootstrap
from {{ cookiecutter.__package }}.bus import (
    Aggregate,
    AggregateExists,
    AggregateNotFound,
    Clock,
    Command,
    CommandHandler,
    Dispatch,
    DomainError,
    Event,
    Query,
    QueryHandler,
    Reader,
    UnitOfWork,
    applies,
)

from ...support import harness
from ...support.harness import Scenario
from ..parcel import commands, errors, events, queries
from ..parcel.files import FileStore
from ..support import counter


def create(data: dict[str, Any]) -> commands.CreateParcel:
    return commands.CreateParcel(parcel_id="a", data=data)


def created(data: dict[str, Any]) -> events.ParcelCreated:
    return events.ParcelCreated(parcel_id="a", data=data)


def failed(reason: str) -> events.ParcelFailed:
    return events.ParcelFailed(parcel_id="a", reason=reason)


process = commands.ProcessParcel(parcel_id="a")


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


class FullDisk:
    def put(self, name: str, content: bytes) -> str:
        raise OSError("the disk is full")


def test_a_follow_up_that_fails_fails_the_specification(scenario: Scenario) -> None:
    scenario.dependencies[FileStore] = FullDisk()
    scenario.when(create({}))
    with pytest.raises(AssertionError, match="the disk is full"):
        scenario.then(created({}))


def test_what_is_pending_is_compared_too(scenario: Scenario) -> None:
    scenario.when(create({}), alone=True).then(created({})).then_pending(process)
    for wrong in ([process, process], [create({})], []):
        with pytest.raises(AssertionError, match=r"pending are\s+Process.*: next attempt"):
            scenario.then_pending(*wrong)


def test_a_read_model_that_is_asked_has_seen_everything(scenario: Scenario) -> None:
    page = scenario.given(created({})).ask(queries.GetParcelList())
    assert [row.id for row in page.items] == ["a"]


# The rest is specified with a service that counts: it has what this service may not have.


class AddLater(Command):
    """Has one added at this time, and records nothing itself."""

    counter_id: str
    at: datetime


class AddLaterHandler(CommandHandler[AddLater]):
    def handle(self, command: AddLater, uow: UnitOfWork) -> None:
        uow.schedule(counter.Add(counter_id=command.counter_id), command.at)


class Repeat(Command):
    """Is due again as soon as it has run."""


class RepeatHandler(CommandHandler[Repeat]):
    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def handle(self, command: Repeat, uow: UnitOfWork) -> None:
        uow.schedule(command, self._clock.now())


class WhoAsks(Query[str]):
    pass


class WhoAsksHandler(QueryHandler[WhoAsks]):
    def handle(self, query: WhoAsks, reader: Reader) -> str:
        return reader.context.actor


class Noted(Event):
    text: str


class Sent(Event):
    text: str


class Note(Aggregate):
    text: str = ""

    @applies(Noted)
    def _noted(self, event: Noted) -> None:
        self.text = event.text


class Letter(Note):
    """An aggregate below another one."""

    @applies(Sent)
    def _sent(self, event: Sent) -> None:
        self.text = event.text


SERVICE = SimpleNamespace(
    COMMANDS=(*counter.COMMANDS, (AddLater, AddLaterHandler), (Repeat, RepeatHandler)),
    EVENTS=(*counter.EVENTS, (Noted, []), (Sent, [])),
    QUERIES=(*counter.QUERIES, (WhoAsks, WhoAsksHandler)),
    PROJECTIONS=(),
    UPCASTERS=(),
)

added = counter.Added(counter_id="c")
add = counter.Add(counter_id="c")
due = datetime(2026, 1, 1, 1, tzinfo=UTC)  # the clock of a scenario stands at midnight
add_later = AddLater(counter_id="c", at=due)


@pytest.fixture
def counting(scenario: Scenario, monkeypatch: pytest.MonkeyPatch) -> Scenario:
    """The counter "c" is open. Notes and letters are no part of the service."""
    tables = SimpleNamespace(**{**vars(SERVICE), "EVENTS": counter.EVENTS})
    monkeypatch.setattr(bootstrap, "SERVICES", (tables,))
    return scenario.given(counter.Opened(counter_id="c"))


def test_what_is_scheduled_is_pending_until_it_is_due(counting: Scenario) -> None:
    counting.when(add_later).then_nothing().then_scheduled(add, due).then_pending(add)
    with pytest.raises(AssertionError, match=r"pending are\s+Add\(.*: due time"):
        counting.then_pending()
    for command, at in ((add, due + timedelta(seconds=1)), (add_later, due)):
        with pytest.raises(AssertionError, match=r"scheduled are\s+Add\(.*: due time"):
            counting.then_scheduled(command, at)


def test_a_command_that_waits_for_its_next_attempt_is_not_scheduled(counting: Scenario) -> None:
    counting.when(counter.Add(counter_id="c", carry_to="c"), alone=True).then_pending(add)
    claim = Dispatch().time_limit + Dispatch().grace
    with pytest.raises(AssertionError, match="scheduled are none"):
        counting.then_scheduled(add, counting.clock.now() + claim)


def test_time_that_passes_runs_what_becomes_due(counting: Scenario) -> None:
    counting.when(add_later)
    counting.advance(minutes=59).then_nothing().then_scheduled(add, due)
    counting.advance(minutes=1).then(added).then_pending()
    counting.advance(days=1).then_nothing()


def test_what_becomes_due_runs_at_its_own_time(counting: Scenario) -> None:
    counting.when(add_later).advance(days=1).then(added)
    assert [each.recorded_at for each in counting.recorded] == [due]
    assert counting.clock.now() == due + timedelta(hours=23)


def test_what_fails_while_time_passes_fails_the_specification(counting: Scenario) -> None:
    counting.when(AddLater(counter_id="none", at=due)).advance(hours=1)
    with pytest.raises(AssertionError, match="AggregateNotFound"):
        counting.then_nothing()


def test_time_does_not_pass_where_something_is_always_due(
    counting: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(harness, "ROUNDS", 3)
    with pytest.raises(AssertionError, match=r"always something due:\s+Repeat"):
        counting.when(Repeat()).advance(seconds=1)


def test_what_comes_next_has_the_context_of_who_sends_it(counting: Scenario) -> None:
    counting.as_(actor="ann", correlation_id="c-1").given(added)
    counting.as_(actor="ben", tenant="acme").when(add_later).advance(hours=1).then(added)
    _, given, later = counting.store.commits("Counter/c")
    assert (given.context.actor, given.context.tenant) == ("ann", None)
    assert (later.context.actor, later.context.tenant) == ("ben", "acme")
    assert given.context.correlation_id == "c-1" != later.context.correlation_id
    assert counting.ask(WhoAsks()) == "ben"
    with pytest.raises(TypeError, match="acter"):
        counting.as_(acter="ann")


def test_an_event_that_nothing_applies_cannot_have_happened(counting: Scenario) -> None:
    with pytest.raises(AssertionError, match="no aggregate of this service applies Noted"):
        counting.given(Noted(text="x"))


@pytest.mark.parametrize(
    ("event", "stream", "looked_for"),
    [
        (Sent(text="x"), "", "applied by Letter, but has no field letter_id: name its stream"),
        (Sent(text="x"), "Note/n", "applied by Letter, and 'Note/n' is no such stream"),
        (Noted(text="x"), "", "applied by Note and Letter: name its stream"),
    ],
)
def test_an_event_whose_stream_is_not_known_says_what_was_looked_for(
    counting: Scenario, monkeypatch: pytest.MonkeyPatch, event: Event, stream: str, looked_for: str
) -> None:
    monkeypatch.setattr(bootstrap, "SERVICES", (SERVICE,))
    with pytest.raises(AssertionError, match=looked_for):
        counting.given(event, stream=stream)
    counting.given(Noted(text="x"), Sent(text="y"), stream="Letter/n")
    assert counting.store.load("Letter/n").position.version == 2
