"""Follow-ups: in which order they run, what holds them back, and what ends an endless loop."""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from {{ cookiecutter.__package }}.adapters.event_store.memory import MemoryEventStore
from {{ cookiecutter.__package }}.bus import (
    Aggregate,
    AggregateExists,
    Clock,
    CodecError,
    Command,
    CommandHandler,
    ConfigurationError,
    Dispatch,
    Envelope,
    Event,
    EventHandler,
    FollowUp,
    MessageBus,
    Next,
    UnitOfWork,
    Worker,
    applies,
    bootstrap,
)
from {{ cookiecutter.__package }}.bus.runtime import follow_ups

from ...support.fakes import FakeClock

Plan = Mapping[str, Iterable[Command | FollowUp[Any]]]


class Do(Command):
    """Done in the stream of task `task`."""

    name: str
    task: str = "1"


class DoToo(Command):
    """The same, as another command."""

    name: str


class Undone(Command):
    """No handler runs it."""


class Done(Event):
    name: str


class Task(Aggregate):
    @applies(Done)
    def _done(self, _event: Done) -> None:
        pass


class DoHandler(CommandHandler[Do]):
    def handle(self, command: Do, uow: UnitOfWork) -> None:
        uow.get_or_new(Task, command.task).record(Done(name=command.name))


class DoTooHandler(CommandHandler[DoToo]):
    def handle(self, command: DoToo, uow: UnitOfWork) -> None:
        uow.get_or_new(Task, "2").record(Done(name=command.name))


class Service:
    """A bus whose `plan` says what follows. What is named in `failing` fails."""

    def __init__(self, **options: Any) -> None:
        self.plan: dict[str, list[Command | FollowUp[Any]]] = {}
        self.failing: set[str] = set()
        self.ran: list[str] = []
        self.depths: list[int] = []
        self.clock, self.store = FakeClock(), MemoryEventStore()
        self.bus = self.start(**options)

    def start(self, *, commands: Any = (), **options: Any) -> MessageBus:
        plan = self.plan

        class WhenDone(EventHandler[Done]):
            def handle(self, event: Done) -> Iterable[Command | FollowUp[Any]]:
                return plan.get(event.name, [])

        return bootstrap(
            commands=commands or [(Do, DoHandler), (DoToo, DoTooHandler)],
            events=[(Done, [WhenDone])],
            store=self.store,
            dependencies={Clock: self.clock},
            middleware=[self._observe],
            **options,
        )

    def _observe(self, envelope: Envelope, handle: Next) -> Any:
        name = getattr(envelope.message, "name", "")
        self.ran.append(name)
        self.depths.append(envelope.context.depth)
        if name in self.failing:
            raise RuntimeError("a fault")
        return handle(envelope)


def do(name: str) -> Do:
    return Do(name=name)


def aside(name: str) -> FollowUp[Do]:
    return FollowUp(do(name), in_order=False)


def test_those_in_order_come_first_and_those_out_of_order_last() -> None:
    service = Service()
    service.plan = service.plan | {"a": [aside("x"), do("b"), do("c")], "b": [aside("y"), do("d")]}
    service.bus = service.start()
    service.bus.handle(do("a"))
    assert service.ran == ["a", "b", "c", "d", "x", "y"]


@pytest.mark.parametrize("inline", [True, False])
def test_one_out_of_order_that_fails_holds_back_nothing(inline: bool) -> None:
    service = Service(dispatch=Dispatch(inline=inline))
    service.plan.update({"a": [aside("x"), do("b"), aside("y")], "b": [do("c")], "y": [do("d")]})
    service.failing.add("x")
    service.bus.handle(do("a"))
    worker = Worker(service.bus)
    while not inline and worker.run_once():
        pass
    assert sorted(service.ran) == ["a", "b", "c", "d", "x", "y"]
    assert [row.in_order for row in service.store.pending("Task/1")] == [False]


def test_a_worker_runs_those_in_order_first() -> None:
    service = Service(dispatch=Dispatch(inline=False))
    service.plan.update({"a": [aside("x"), do("b")]})
    service.bus.handle(do("a"))
    Worker(service.bus).run_once()
    assert service.ran == ["a", "b", "x"]


def test_one_out_of_order_does_not_wait_for_one_in_order_that_fails() -> None:
    service = Service()
    service.plan.update({"a": [do("b"), do("c"), aside("x")]})
    service.failing.add("b")
    service.bus.handle(do("a"))
    assert service.ran == ["a", "b", "x"]
    service.clock.move(seconds=10)
    Worker(service.bus).run_once()
    assert service.ran == ["a", "b", "x", "b"]


def test_a_delayed_one_runs_when_it_is_due_and_begins_a_new_chain() -> None:
    service = Service()
    service.plan.update({"a": [FollowUp(do("later"), delay=timedelta(minutes=5)), do("b")]})
    service.bus.handle(do("a"))
    worker = Worker(service.bus)
    service.clock.move(minutes=4)
    assert (worker.run_once(), service.ran) == (0, ["a", "b"])
    service.clock.move(minutes=1)
    assert (worker.run_once(), worker.run_once()) == (1, 0)
    assert (service.ran, service.depths) == (["a", "b", "later"], [0, 1, 0])
    with pytest.raises(ValueError, match="the delay is negative"):
        FollowUp(do("never"), delay=timedelta(seconds=-1))
    with pytest.raises(ValueError, match=r"Do: the delay is longer than 1,000 years"):
        FollowUp(do("never"), delay=timedelta.max)


def test_a_follow_up_without_a_handler_is_refused_before_anything_is_committed() -> None:
    service = Service()
    for follows in (Undone(), FollowUp(Undone(), in_order=False)):
        service.plan.update({"a": [do("b"), follows]})
        with pytest.raises(ConfigurationError, match="Undone follows, and no handler runs it"):
            service.bus.handle(do("a"))
    service.plan.update({"a": [do("\ud800")]})
    with pytest.raises(CodecError, match="Do cannot be stored"):
        service.bus.handle(do("a"))
    assert service.store.size() == 0


def test_an_endless_loop_is_parked_and_named_and_goes_on_when_it_is_replayed() -> None:
    told: list[tuple[Any, ...]] = []
    service = Service(dispatch=Dispatch(max_depth=5), on_parked=lambda *of: told.append(of))
    service.plan.update({"a": [DoToo(name="b")], "b": [do("a")]})
    service.bus.handle(do("a"))
    (dead,) = service.store.parked()
    assert service.depths == [0, 1, 2, 3, 4, 5]
    assert told == [("Do", dead, None)]
    assert dead.error == "an endless loop? 6 follow-ups in a row: Do → DoToo → Do"
    assert service.store.due(service.clock.now() + timedelta(days=1)) == []
    service.store.replay(dead.key, service.clock.now())
    Worker(service.bus).run_once()
    assert service.depths == list(range(12))
    assert len(service.store.parked()) == 1


def test_a_loop_of_several_commands_is_named_whole() -> None:
    class DoLast(Command):
        name: str

    class DoLastHandler(CommandHandler[DoLast]):
        def handle(self, command: DoLast, uow: UnitOfWork) -> None:
            uow.get_or_new(Task, "3").record(Done(name=command.name))

    service = Service()
    service.plan.update({"a": [DoToo(name="b")], "b": [DoLast(name="c")], "c": [do("a")]})
    commands = [(Do, DoHandler), (DoToo, DoTooHandler), (DoLast, DoLastHandler)]
    service.start(commands=commands, dispatch=Dispatch(max_depth=6)).handle(do("a"))
    (dead,) = service.store.parked()
    assert dead.error.endswith("in a row: DoToo → DoLast → Do → DoToo")


def test_a_loop_is_named_also_if_another_command_that_follows_from_it_is_parked() -> None:
    service = Service(dispatch=Dispatch(max_depth=3))
    service.plan.update({"a": [DoToo(name="b")], "b": [DoToo(name="b"), do("c")]})
    service.bus.handle(do("a"))
    reasons = [dead.error.rpartition(": ")[2] for dead in service.store.parked()]
    assert reasons == ["DoToo → DoToo", "DoToo → DoToo → Do"]


def test_a_new_aggregate_is_the_same_object_each_time_and_cannot_be_added_again() -> None:
    class Begin(Command):
        pass

    class BeginHandler(CommandHandler[Begin]):
        def handle(self, _command: Begin, uow: UnitOfWork) -> None:
            new = uow.get_or_new(Task, "1")
            assert new.version == 0
            assert uow.get(Task, "1") is new
            assert uow.get_or_new(Task, "1") is new
            uow.add(Task("1"))

    service = Service()
    bus = service.start(commands=[(Begin, BeginHandler), (Do, DoHandler)])
    with pytest.raises(AggregateExists):
        bus.handle(Begin())


def test_a_worker_of_an_old_release_leaves_the_commands_of_a_new_one_to_it() -> None:
    service = Service()
    reported: list[str] = []
    new = service.start(dispatch=Dispatch(inline=False))
    old = service.start(commands=[(Do, DoHandler)])
    of_old = Worker(old, report=lambda row, error: reported.append(f"{row.key} {error}"))
    service.plan.update({"a": [DoToo(name="b"), do("c")]})
    new.handle(do("a"))
    service.clock.move(minutes=9)
    assert (of_old.run_once(), of_old.run_once(), reported) == (0, 0, [])
    service.clock.move(minutes=1)
    assert (of_old.run_once(), of_old.run_once()) == (0, 0)
    service.clock.move(minutes=2)
    of_old.run_once()
    assert [each.partition(";")[0] for each in reported] == ["Task/1@1#0 'DoToo' is not known here"]
    assert [row.attempts for row in service.store.pending("Task/1")] == [0, 0]
    service.clock.move(minutes=8)
    of_old.run_once()
    assert len(reported) == 2
    assert Worker(new).run_once() == 2
    assert (service.ran, service.store.parked()) == (["a", "b", "c"], [])


class DoSlowly(Command, time_limit=timedelta(seconds=90)):
    name: str


class DoSlowlyHandler(CommandHandler[DoSlowly]):
    def handle(self, command: DoSlowly, uow: UnitOfWork) -> None:
        uow.get_or_new(Task, "1").record(Done(name=command.name))


def slow_service() -> Service:
    service = Service()
    commands = [(Do, DoHandler), (DoToo, DoTooHandler), (DoSlowly, DoSlowlyHandler)]
    service.bus = service.start(commands=commands)
    return service


def test_one_that_may_take_too_long_is_left_to_a_worker_with_those_in_order_after_it() -> None:
    service = slow_service()
    service.plan.update({"a": [DoToo(name="b"), DoSlowly(name="c"), do("d"), aside("e")]})
    service.bus.handle(do("a"))
    assert service.ran == ["a", "b", "e"]
    rows = service.store.pending("Task/1")
    assert [(row.attempts, row.due_at) for row in rows] == [(0, service.clock.now())] * 2
    assert Worker(service.bus).run_once() == 2
    assert service.ran == ["a", "b", "e", "c", "d"]


def test_a_claim_lasts_the_time_limit_and_the_grace() -> None:
    service = slow_service()
    service.plan.update({"a": [DoSlowly(name="c")]})
    service.failing.add("c")
    service.bus.handle(do("a"))
    Worker(service.bus).run_once()
    (row,) = service.store.pending("Task/1")
    assert row.due_at == service.clock.now() + timedelta(seconds=95)


def test_one_that_might_take_beyond_its_claim_does_not_begin_inline() -> None:
    class TakesThreeSeconds(DoHandler):
        def handle(self, command: Do, uow: UnitOfWork) -> None:
            super().handle(command, uow)
            service.clock.move(seconds=3)

    service = Service()
    service.plan.update({"a": [do("b"), do("c"), do("d"), do("e")]})
    service.start(commands=[(Do, TakesThreeSeconds)]).handle(do("a"))
    assert service.ran == ["a", "b", "c"]
    assert [row.attempts for row in service.store.pending("Task/1")] == [1, 1]


def test_one_that_might_take_beyond_the_time_for_all_does_not_begin_inline(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    passed = [0.0]

    class TakesThreeSeconds(DoHandler):
        def handle(self, command: Do, uow: UnitOfWork) -> None:
            super().handle(command, uow)
            if command.name in ("b", "c"):
                passed[0] += 3

    class Later(Do, time_limit=timedelta(seconds=8)):
        """Does not fit any more after the first one. In order, it holds back those after it."""

    class LaterHandler(CommandHandler[Later]):
        def handle(self, command: Later, uow: UnitOfWork) -> None:
            uow.get_or_new(Task, command.task).record(Done(name=command.name))

    monkeypatch.setattr(follow_ups, "time", SimpleNamespace(monotonic=lambda: passed[0]))
    commands = [(Do, TakesThreeSeconds), (Later, LaterHandler)]
    for second, ran in (
        (do("c"), ["a", "b", "c"]),
        (Later(name="c"), ["a", "b", "x"]),
        (FollowUp(Later(name="c"), in_order=False), ["a", "b", "d", "e", "x", "f"]),
    ):
        passed[0], service = 0, Service()
        service.plan.update({"a": [do("b"), second, do("d"), do("e"), aside("x")], "x": [do("f")]})
        service.start(commands=commands).handle(do("a"))
        assert service.ran == ran
