"""What the message bus promises, whatever the service."""

import re
import types
from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any, ClassVar

import msgspec
import pytest

from {{ cookiecutter.__package }}.adapters.event_store.memory import MemoryEventStore
from {{ cookiecutter.__package }}.bus import (
    Aggregate,
    AggregateExists,
    AggregateNotFound,
    Clock,
    Command,
    CommandHandler,
    Commit,
    CommitTooLarge,
    ConcurrencyError,
    ConfigurationError,
    Context,
    Dispatch,
    DomainError,
    Envelope,
    Event,
    EventHandler,
    IdSource,
    MessageBus,
    Next,
    Outcome,
    Position,
    Reader,
    Repository,
    Retry,
    Snapshots,
    StoreUnavailable,
    UnitOfWork,
    Worker,
    applies,
    bootstrap,
)
from {{ cookiecutter.__package }}.bus.runtime.reader import StoreReader

from ...support.fakes import CountingIds, FakeClock
from ..support import counter

AT_ONCE = Retry(base=0)


class Grow(Command):
    """Grow a node, and then the branches below it. In the stream of node `on`, if that is given."""

    name: str
    below: dict[str, Any] = msgspec.field(default_factory=dict)
    on: str = ""


class Grown(Event):
    name: str
    below: dict[str, Any] = msgspec.field(default_factory=dict)
    on: str = ""


class Node(Aggregate):
    @applies(Grown)
    def _grown(self, _event: Grown) -> None:
        pass


class Sick(DomainError):
    """The node `sick` does not grow."""


class GrowHandler(CommandHandler[Grow]):
    def handle(self, command: Grow, uow: UnitOfWork) -> None:
        if command.name == "broken":
            raise RuntimeError("a fault")
        if command.name == "sick":
            raise Sick("not well")
        if command.name == "idle":
            return
        try:
            node = uow.get(Node, command.on or command.name)
        except AggregateNotFound:
            node = Node(command.on or command.name)
            uow.add(node)
        node.record(Grown(name=command.name, below=command.below, on=command.on))
        if command.name == "broken late":
            raise RuntimeError("a fault")


class WhenGrown(EventHandler[Grown]):
    def handle(self, event: Grown) -> Iterable[Command]:
        for name, below in event.below.items():
            if name == "undecided":
                raise RuntimeError("a decision that fails")
            yield Grow(name=name, below=below, on=event.on)


class Transfer(Command):
    source: str
    target: str


class TransferHandler(CommandHandler[Transfer]):
    def handle(self, command: Transfer, uow: UnitOfWork) -> None:
        source = uow.get(counter.Counter, command.source)
        target = uow.get(counter.Counter, command.target)
        for each in (source, target, source):
            each.record(counter.Added(counter_id=each.id))


class Look(Command):
    """Reads one counter, and counts on another if that is given."""

    at: str
    then: str = ""


class LookHandler(CommandHandler[Look]):
    disturb: ClassVar[list[Callable[[], object]]] = []

    def handle(self, command: Look, uow: UnitOfWork) -> None:
        uow.get(counter.Counter, command.at)
        while self.disturb:
            self.disturb.pop()()
        if command.then:
            then = uow.get(counter.Counter, command.then)
            then.record(counter.Added(counter_id=then.id))


class Journal:
    """Middleware that notes what went by."""

    def __init__(self) -> None:
        self.envelopes: list[Envelope] = []

    def __call__(self, envelope: Envelope, handle: Next) -> Any:
        self.envelopes.append(envelope)
        return handle(envelope)

    @property
    def names(self) -> list[str]:
        return [getattr(each.message, "name", "?") for each in self.envelopes]


class FaultyStore(MemoryEventStore):
    """Fails the next appends as told: before they are taken, or after."""

    def __init__(self) -> None:
        super().__init__()
        self.before: list[Exception] = []
        self.after: list[Exception] = []
        self.appended: list[Commit] = []

    def append(self, commit: Commit) -> None:
        self.appended.append(commit)
        if self.before:
            raise self.before.pop(0)
        super().append(commit)
        if self.after:
            raise self.after.pop(0)


def make_bus(store: MemoryEventStore | None = None, **options: Any) -> MessageBus:
    return bootstrap(
        commands=[
            *counter.COMMANDS,
            (Grow, GrowHandler),
            (Transfer, TransferHandler),
            (Look, LookHandler),
        ],
        events=[*counter.EVENTS, (Grown, [WhenGrown])],
        queries=counter.QUERIES,
        store=store or MemoryEventStore(),
        **{"retry": AT_ONCE, **options},
    )


def total(bus: MessageBus, counter_id: str) -> int:
    return bus.ask(counter.GetTotal(counter_id=counter_id))


# The cycle


def test_what_follows_runs_first_in_first_out() -> None:
    journal = Journal()
    bus = make_bus(middleware=[journal])
    bus.handle(Grow(name="a", below={"b": {"d": {"f": {}}}, "c": {"e": {}}}))
    assert journal.names == list("abcdef")


def test_the_outcome_is_of_the_command_itself_not_of_what_follows() -> None:
    outcome = make_bus().handle(Grow(name="a", below={"b": {}}))
    assert [recorded.event for recorded in outcome.events] == [Grown(name="a", below={"b": {}})]
    assert outcome == Outcome(outcome.events, replayed=False)


def test_every_event_says_what_caused_it_and_what_set_it_all_in_motion() -> None:
    journal, clock = Journal(), FakeClock()
    bus = make_bus(middleware=[journal], dependencies={IdSource: CountingIds(), Clock: clock})
    outcome = bus.handle(Grow(name="a", below={"b": {}}), correlation_id="the request")
    (first,) = outcome.events
    assert (first.event_id, first.stream_id, first.version) == ("Node/a@1", "Node/a", 1)
    assert (first.causation_id, first.correlation_id) == ("id-1", "the request")
    assert (first.recorded_at, first.command) == (clock.now(), "Grow")
    _, follow_up = journal.envelopes
    assert (follow_up.message_id, follow_up.context.causation_id) == ("id-2", "Node/a@1")
    (second,) = bus.store.commits("Node/b")
    assert (second.command_id, second.context.causation_id) == ("id-2", "Node/a@1")
    assert second.context.correlation_id == "the request"


def test_without_a_correlation_id_the_command_gives_its_own() -> None:
    (recorded,) = make_bus(dependencies={IdSource: CountingIds()}).handle(Grow(name="a")).events
    assert (recorded.causation_id, recorded.correlation_id) == ("id-1", "id-1")


def test_middleware_is_a_chain_around_commands_follow_ups_and_queries() -> None:
    seen: list[str] = []

    def layer(name: str) -> Callable[[Envelope, Next], Any]:
        def wrap(envelope: Envelope, handle: Next) -> Any:
            seen.append(f"{name} in")
            try:
                return handle(envelope)
            finally:
                seen.append(f"{name} out")

        return wrap

    bus = make_bus(middleware=[layer("outer"), layer("inner")])
    bus.handle(counter.Open(counter_id="c"))
    assert total(bus, "c") == 0
    assert seen == ["outer in", "inner in", "inner out", "outer out"] * 2


def test_a_message_without_a_handler_is_named() -> None:
    class Unheard(Command):
        pass

    with pytest.raises(ConfigurationError, match="Unheard"):
        make_bus().handle(Unheard())


# One command, one unit of work


def test_a_command_over_several_aggregates_is_one_commit_in_the_order_recorded() -> None:
    store = FaultyStore()
    bus = make_bus(store)
    for counter_id in "ab":
        bus.handle(counter.Open(counter_id=counter_id))
    outcome = bus.handle(Transfer(source="a", target="b"))
    assert [recorded.event_id for recorded in outcome.events] == [
        "Counter/a@2",
        "Counter/b@2",
        "Counter/a@3",
    ]
    assert len(store.appended) == 3
    assert (total(bus, "a"), total(bus, "b")) == (2, 1)


@pytest.mark.parametrize("name", ["broken", "broken late", "sick"])
def test_a_command_that_fails_leaves_nothing(name: str) -> None:
    store = FaultyStore()
    with pytest.raises((RuntimeError, Sick)):
        make_bus(store).handle(Grow(name=name, below={"b": {}}))
    assert store.appended == []


def test_an_event_handler_that_fails_fails_the_command_whole() -> None:
    store = FaultyStore()
    with pytest.raises(RuntimeError, match="a decision that fails"):
        make_bus(store).handle(Grow(name="a", below={"b": {}, "undecided": {}}))
    assert store.appended == []


def test_what_follows_is_in_the_same_commit_as_the_events() -> None:
    store = FaultyStore()
    make_bus(store, dispatch=Dispatch(steps=0)).handle(Grow(name="a", below={"b": {}, "c": {}}))
    (commit,) = store.appended
    assert [append.after for append in commit.appends] == [Position.start("Node/a")]
    assert [row.payload for row in commit.follow_ups] == [
        '[{"$type":"Grow","name":"b","below":{},"on":""}]',
        '[{"$type":"Grow","name":"c","below":{},"on":""}]',
    ]


def test_a_command_that_changes_nothing_commits_nothing() -> None:
    store = FaultyStore()
    bus = make_bus(store)
    bus.handle(counter.Open(counter_id="c"))
    assert bus.handle(Look(at="c")).events == ()
    assert len(store.appended) == 1


def test_a_follow_up_that_changes_nothing_is_consumed_all_the_same() -> None:
    bus = make_bus()
    bus.handle(Grow(name="a", below={"idle": {}}))
    assert bus.store.pending("Node/a") == []


def test_what_a_command_read_must_not_have_changed_when_it_commits() -> None:
    store = FaultyStore()
    bus = make_bus(store)
    for counter_id in "ab":
        bus.handle(counter.Open(counter_id=counter_id))
    LookHandler.disturb.append(lambda: bus.handle(counter.Add(counter_id="a")))
    bus.handle(Look(at="a", then="b"))
    _, _, disturbance, refused, taken = store.appended
    assert (refused.command, taken.command) == ("Look", "Look")
    assert refused.unchanged == (disturbance.appends[0].after,)
    assert taken.unchanged == (store.load("Counter/a").position,)
    assert total(bus, "b") == 1


def test_a_unit_of_work_knows_each_aggregate_once() -> None:
    class Twice(Command):
        pass

    class TwiceHandler(CommandHandler[Twice]):
        def handle(self, command: Twice, uow: UnitOfWork) -> None:
            new = Node("a")
            uow.add(new)
            assert uow.get(Node, "a") is new
            with pytest.raises(AggregateExists):
                uow.add(Node("a"))

    bootstrap(commands=[(Twice, TwiceHandler)], store=MemoryEventStore()).handle(Twice())


def test_an_id_that_is_taken_is_refused_and_not_tried_again() -> None:
    store = FaultyStore()
    bus = make_bus(store)
    bus.handle(counter.Open(counter_id="c"))
    with pytest.raises(AggregateExists, match="'c'"):
        bus.handle(counter.Open(counter_id="c"))
    assert len(store.appended) == 2


@pytest.mark.parametrize("kind", ["not found", "", None, 404, ["gone"]])
def test_a_refusal_of_an_unknown_kind_is_refused_by_name_when_its_class_is_made(kind: Any) -> None:
    with pytest.raises(TypeError, match=r"TooLate\.kind is .*; it must be one of conflict, not_f"):
        types.new_class("TooLate", (DomainError,), {}, lambda names: names.update(kind=kind))


def test_a_commit_too_large_is_refused_before_it_is_sent() -> None:
    store = FaultyStore()
    bus = make_bus(store)
    large: dict[str, Any] = {"x" * 380_000: {}}
    many: dict[str, Any] = {str(number): {} for number in range(98)}
    for below in (large, many):
        with pytest.raises(CommitTooLarge, match="at most"):
            bus.handle(Grow(name="a", below=below))
    assert store.appended == []


def test_an_aggregate_records_only_what_it_can_apply() -> None:
    with pytest.raises(ConfigurationError, match="Node cannot apply Opened"):
        Node("a").record(counter.Opened(counter_id="a"))


# Conflicts and stores that do not answer


def test_after_a_conflict_the_command_runs_again_under_its_own_id() -> None:
    store, journal = FaultyStore(), Journal()
    bus = make_bus(store, middleware=[journal])
    bus.handle(counter.Open(counter_id="c"))
    store.before = [ConcurrencyError("Counter/c")] * 3
    bus.handle(counter.Add(counter_id="c"))
    assert total(bus, "c") == 1
    assert len({commit.command_id for commit in store.appended[1:]}) == 1
    assert len(journal.envelopes) == 3


def test_when_every_attempt_meets_a_conflict_the_caller_is_told() -> None:
    store = FaultyStore()
    bus = make_bus(store, retry=Retry(attempts=4, base=0))
    bus.handle(counter.Open(counter_id="c"))
    store.before = [ConcurrencyError("Counter/c")] * 9
    with pytest.raises(ConcurrencyError):
        bus.handle(counter.Add(counter_id="c"))
    assert len(store.appended) == 1 + 4
    assert total(bus, "c") == 0


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_store_that_does_not_answer_is_sent_the_identical_commit(moment: str) -> None:
    store = FaultyStore()
    bus = make_bus(store)
    setattr(store, moment, [StoreUnavailable("time-out")] * 2)
    bus.handle(counter.Open(counter_id="c"))
    assert len(store.appended) == 3
    assert store.appended[0] == store.appended[1] == store.appended[2]
    assert [each.version for each in store.commits("Counter/c")] == [1]


def test_a_store_that_stays_away_is_reported() -> None:
    store = FaultyStore()
    store.before = [StoreUnavailable("time-out")] * 9
    with pytest.raises(StoreUnavailable):
        make_bus(store).handle(counter.Open(counter_id="c"))


# Follow-ups that fail


def test_a_follow_up_that_fails_does_not_change_the_answer_and_stays_open() -> None:
    bus = make_bus()
    outcome = bus.handle(Grow(name="a", below={"broken": {}, "c": {}}))
    assert len(outcome.events) == 1
    assert [row.key.ordinal for row in bus.store.pending("Node/a")] == [0, 1]
    assert bus.store.parked() == []


class Exit(BaseException):
    """As libraries have them: of an event loop, or of a green thread."""


class Exits:
    """A bus whose handlers of one kind end in this way."""

    def __init__(self, error: BaseException, where: str) -> None:
        class AddHandler(counter.AddHandler):
            def handle(self, command: counter.Add, uow: UnitOfWork) -> None:
                if where == "command" or (where == "follow-up" and not command.carry_to):
                    raise error
                super().handle(command, uow)

        class WhenAdded(counter.WhenAdded):
            def handle(self, event: counter.Added) -> Iterable[Command]:
                if where == "event":
                    raise error
                return super().handle(event)

        class GetTotalHandler(counter.GetTotalHandler):
            def handle(self, query: counter.GetTotal, reader: Reader) -> int:
                if where == "query":
                    raise error
                return super().handle(query, reader)

        self.store, self.clock = MemoryEventStore(), FakeClock()
        self.bus = counter.make_bus(
            self.store,
            commands=[(counter.Open, counter.OpenHandler), (counter.Add, AddHandler)],
            events=[(counter.Opened, []), (counter.Added, [WhenAdded])],
            queries=[(counter.GetTotal, GetTotalHandler)],
            dependencies={Clock: self.clock},
            dispatch=Dispatch(attempts=2),
        )
        for name in "ab":
            self.bus.handle(counter.Open(counter_id=name))

    def act(self) -> None:
        self.bus.handle(counter.Add(counter_id="a", carry_to="b"))
        self.bus.ask(counter.GetTotal(counter_id="a"))


@pytest.mark.parametrize("error", [SystemExit(2), Exit("it is cancelled")], ids=repr)
@pytest.mark.parametrize("where", ["command", "event", "query"])
def test_a_handler_that_would_end_the_thread_has_failed(error: BaseException, where: str) -> None:
    with pytest.raises(RuntimeError, match=re.escape(f"a handler raised {error!r}")):
        Exits(error, where).act()


def test_a_follow_up_that_would_end_the_thread_is_a_failed_attempt() -> None:
    exits = Exits(SystemExit(2), "follow-up")
    exits.act()
    (row,) = exits.store.pending("Counter/a")
    assert row.attempts == 1
    exits.clock.move(seconds=10)
    assert Worker(exits.bus).run_once() == 1
    (dead,) = exits.store.parked()
    assert (dead.attempts, dead.error) == (2, "RuntimeError: a handler raised SystemExit(2)")


@pytest.mark.parametrize("where", ["command", "follow-up", "event", "query"])
def test_an_interrupt_by_the_user_passes(where: str) -> None:
    with pytest.raises(KeyboardInterrupt):
        Exits(KeyboardInterrupt(), where).act()


def test_a_follow_up_that_is_refused_is_parked_at_once_and_holds_nothing_back() -> None:
    journal = Journal()
    bus = make_bus(middleware=[journal])
    bus.handle(Grow(name="a", below={"b": {}, "sick": {}, "c": {}}))
    assert journal.names == ["a", "b", "sick", "c"]
    assert bus.store.pending("Node/a") == []
    (dead,) = bus.store.parked()
    assert (dead.key.ordinal, dead.attempts, dead.error) == (1, 1, "Sick: not well")


def test_a_follow_up_that_is_refused_for_now_is_tried_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Sick, "kind", "limited")
    bus = make_bus()
    bus.handle(Grow(name="a", below={"sick": {}}))
    assert bus.store.parked() == []
    (waiting,) = bus.store.pending("Node/a")
    assert waiting.attempts == 1


def test_a_follow_up_too_large_to_commit_is_parked_at_once() -> None:
    bus = make_bus()
    bus.handle(Grow(name="a", below={"b": {str(number): {} for number in range(98)}}))
    (dead,) = bus.store.parked()
    assert dead.error.startswith("CommitTooLarge: ")
    assert dead.parked_at is not None


def test_a_failed_follow_up_holds_back_its_own_stream_only() -> None:
    journal = Journal()
    bus = make_bus(middleware=[journal])
    bus.handle(Grow(name="a", below={"b": {"broken": {}, "later": {}}, "c": {"d": {}}}))
    assert journal.names == ["a", "b", "c", "broken", "d"]
    assert [row.key.ordinal for row in bus.store.pending("Node/b")] == [0, 1]
    assert bus.store.pending("Node/a") == []


def test_a_follow_up_waits_while_an_earlier_one_of_its_stream_is_open() -> None:
    journal = Journal()
    bus = make_bus(middleware=[journal])
    bus.handle(Grow(name="broken first", below={"broken": {}}, on="a"))
    bus.handle(Grow(name="second", below={"waits": {}}, on="a"))
    assert journal.names == ["broken first", "broken", "second"]
    assert [row.key.version for row in bus.store.pending("Node/a")] == [1, 2]


def test_inline_dispatch_keeps_to_its_budget_of_steps() -> None:
    journal = Journal()
    bus = make_bus(middleware=[journal], dispatch=Dispatch(steps=2))
    bus.handle(Grow(name="a", below={"b": {"d": {}}, "c": {}}))
    assert journal.names == ["a", "b", "c"]
    assert [row.context.causation_id for row in bus.store.pending("Node/b")] == ["Node/b@1"]


def test_inline_dispatch_keeps_to_its_budget_of_time() -> None:
    journal = Journal()
    bus = make_bus(middleware=[journal], dispatch=Dispatch(seconds=-1))
    bus.handle(Grow(name="a", below={"b": {}}))
    assert journal.names == ["a"]


def test_workers_see_a_follow_up_after_its_time_limit_and_the_grace() -> None:
    clock = FakeClock()
    dispatch = Dispatch(steps=0, time_limit=timedelta(seconds=3), grace=timedelta(seconds=4))
    bus = make_bus(dispatch=dispatch, dependencies={Clock: clock})
    bus.handle(Grow(name="a", below={"b": {}}))
    (row,) = bus.store.pending("Node/a")
    assert (row.attempts, row.due_at) == (1, clock.now() + timedelta(seconds=7))


def test_dispatch_may_leave_everything_to_workers_at_once() -> None:
    journal, clock = Journal(), FakeClock()
    bus = make_bus(
        middleware=[journal], dispatch=Dispatch(inline=False), dependencies={Clock: clock}
    )
    bus.handle(Grow(name="a", below={"b": {"c": {}}}))
    assert journal.names == ["a"]
    (row,) = bus.store.pending("Node/a")
    assert (row.attempts, row.due_at) == (0, clock.now())
    worker = Worker(bus)
    assert [worker.run_once() for _ in range(3)] == [1, 1, 0]
    assert journal.names == ["a", "b", "c"]


# Reading


def test_a_reader_sees_an_aggregate_as_of_a_version_within_a_commit() -> None:
    bus = make_bus()
    for counter_id in "ab":
        bus.handle(counter.Open(counter_id=counter_id))
    bus.handle(Transfer(source="a", target="b"))
    reader = StoreReader(Repository(bus.store, bus.codecs, Snapshots()), {}, Context())
    seen = [reader.get(counter.Counter, "a", at) for at in (1, 2, 3, 9)]
    assert [(each.total, each.version) for each in seen] == [(0, 1), (1, 2), (2, 3), (2, 3)]
    for at in (0, -1):
        with pytest.raises(AggregateNotFound):
            reader.get(counter.Counter, "a", at)
