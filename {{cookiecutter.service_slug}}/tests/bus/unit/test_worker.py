"""The worker finishes what was left open."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import pairwise
from threading import Event as Flag
from threading import Thread
from typing import Any

import pytest
from msgspec.structs import replace

from {{ cookiecutter.__package }}.adapters.event_store.memory import MemoryEventStore
from {{ cookiecutter.__package }}.bus import (
    Clock,
    Dispatch,
    DuplicateCommand,
    Envelope,
    MessageBus,
    Next,
    PendingCommand,
    StoreUnavailable,
    Supervisor,
    Worker,
)

from ...support.fakes import FakeClock
from ..support import counter

KILLED = Dispatch(steps=0)


class Outage:
    """Middleware: commands on these counters fail."""

    def __init__(self, *counters: str) -> None:
        self.counters = set(counters)
        self.tried: list[str] = []

    def __call__(self, envelope: Envelope, handle: Next) -> Any:
        if envelope.consumes:
            name = getattr(envelope.message, "counter_id", "")
            self.tried.append(name)
            if name in self.counters:
                raise RuntimeError("an outage")
        return handle(envelope)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def store() -> MemoryEventStore:
    return MemoryEventStore()


def bus_of(store: MemoryEventStore, clock: FakeClock, **options: Any) -> MessageBus:
    return counter.make_bus(store, dependencies={Clock: clock}, **options)


def leave_open(store: MemoryEventStore, clock: FakeClock, *pairs: tuple[str, str]) -> None:
    """As a process leaves them that is killed right after its commits."""
    bus = bus_of(store, clock, dispatch=KILLED)
    for counter_id in dict.fromkeys(name for pair in pairs for name in pair):
        bus.handle(counter.Open(counter_id=counter_id))
    for source, target in pairs:
        bus.handle(counter.Add(counter_id=source, carry_to=target))


def totals(bus: MessageBus, names: str) -> list[int]:
    return [bus.ask(counter.GetTotal(counter_id=name)) for name in names]


def test_it_leaves_follow_ups_alone_until_they_are_due(
    store: MemoryEventStore, clock: FakeClock
) -> None:
    leave_open(store, clock, ("a", "b"))
    bus = bus_of(store, clock)
    assert (Worker(bus).run_once(), totals(bus, "ab")) == (0, [1, 0])
    clock.move(seconds=10)
    assert (Worker(bus).run_once(), totals(bus, "ab")) == (1, [1, 1])
    assert (Worker(bus).run_once(), totals(bus, "ab")) == (0, [1, 1])


class WhenAddedToo(counter.WhenAdded):
    """Decides the same once more."""


@pytest.mark.parametrize("handlers", [[], [counter.WhenAdded, WhenAddedToo]])
def test_what_was_decided_is_what_runs_whatever_the_code_would_decide_now(
    store: MemoryEventStore, clock: FakeClock, handlers: list[Any]
) -> None:
    leave_open(store, clock, ("a", "b"))
    clock.move(seconds=10)
    events: Any = ((counter.Opened, []), (counter.Added, handlers))
    bus = bus_of(store, clock, events=events)
    assert (Worker(bus).run_once(), totals(bus, "ab")) == (1, [1, 1])


def test_it_runs_what_is_due_and_not_what_is_due_later(
    store: MemoryEventStore, clock: FakeClock
) -> None:
    leave_open(store, clock, ("a", "b"))
    clock.move(seconds=9)
    killed = bus_of(store, clock, dispatch=KILLED)
    killed.handle(counter.Add(counter_id="a", carry_to="b"))
    clock.move(seconds=1)
    bus = bus_of(store, clock)
    assert (Worker(bus).run_once(), totals(bus, "ab")) == (1, [2, 1])
    clock.move(seconds=9)
    assert (Worker(bus).run_once(), totals(bus, "ab")) == (1, [2, 2])


def test_none_begins_that_may_take_longer_than_its_process_has(
    store: MemoryEventStore, clock: FakeClock
) -> None:
    leave_open(store, clock, ("a", "b"))
    clock.move(seconds=10)
    worker = Worker(bus_of(store, clock))
    (row,) = store.pending("Counter/a")
    ends_at = clock.now() + Dispatch().time_limit
    assert worker.run_once(ends_at=ends_at - timedelta(microseconds=1)) == 0
    assert store.pending("Counter/a") == [row]
    assert worker.run_once(ends_at=ends_at) == 1


def test_a_failing_follow_up_holds_back_only_its_own_stream(
    store: MemoryEventStore, clock: FakeClock
) -> None:
    leave_open(store, clock, ("a", "x"), ("a", "c"), ("b", "d"))
    clock.move(seconds=10)
    outage = Outage("x")
    bus = bus_of(store, clock, middleware=[outage])
    assert Worker(bus).run_once() == 2
    assert sorted(outage.tried) == ["d", "x"]
    assert [row.key.version for row in store.pending("Counter/a")] == [2, 3]


def test_after_the_outage_the_stream_goes_on_in_order(
    store: MemoryEventStore, clock: FakeClock
) -> None:
    leave_open(store, clock, ("a", "x"), ("a", "c"))
    clock.move(seconds=10)
    outage = Outage("x")
    bus = bus_of(store, clock, middleware=[outage])
    worker = Worker(bus)
    worker.run_once()
    outage.counters.clear()
    clock.move(seconds=60)
    assert worker.run_once() == 2
    assert outage.tried == ["x", "x", "c"]
    assert totals(bus, "xc") == [1, 1]


def test_after_each_failure_it_waits_twice_as_long_and_then_gives_up(
    store: MemoryEventStore, clock: FakeClock
) -> None:
    leave_open(store, clock, ("a", "x"), ("a", "c"))
    clock.move(seconds=10)
    outage = Outage("x")
    dispatch = Dispatch(
        time_limit=timedelta(seconds=1),
        grace=timedelta(seconds=4),
        longest_wait=timedelta(seconds=16),
        attempts=6,
    )
    bus = bus_of(store, clock, middleware=[outage], dispatch=dispatch)
    tried_at: list[int] = []
    for second in range(90):
        if Worker(bus).run_once() and len(outage.tried) > len(tried_at):
            tried_at.append(second)
        clock.move(seconds=1)
    waits = [after - before for before, after in pairwise(tried_at)]
    assert len(outage.tried) == 5 + 1  # attempt 1 was the inline one; the last is of `c`
    for wait, longest in zip(waits, (8, 16, 16, 16), strict=False):
        assert longest / 2 <= wait - 1 <= longest + 1
    (dead,) = store.parked()
    assert (dead.attempts, dead.error) == (6, "RuntimeError: an outage")
    assert totals(bus, "c") == [1]


def test_an_attempt_that_kills_its_process_is_counted_and_the_last_is_given_up(
    store: MemoryEventStore, clock: FakeClock
) -> None:
    class Killed(BaseException):
        """As if the process had ended."""

    def kill(envelope: Envelope, handle: Next) -> Any:
        raise Killed

    leave_open(store, clock, ("a", "b"))
    dispatch = Dispatch(attempts=4)
    killed = 0
    for _ in range(10):
        clock.move(minutes=10)
        try:
            Worker(bus_of(store, clock, middleware=[kill], dispatch=dispatch)).run_once()
        except Killed:
            killed += 1
    assert killed == 3
    (dead,) = store.parked()
    assert (dead.attempts, dead.error) == (4, "gave up after 4 attempts")
    assert store.pending("Counter/a") == []


def test_a_dead_letter_that_is_replayed_runs_once_and_waits_for_none(
    store: MemoryEventStore, clock: FakeClock
) -> None:
    leave_open(store, clock, ("a", "x"), ("a", "y"))
    clock.move(seconds=10)
    outage = Outage("x", "y")
    once = Dispatch(attempts=2)
    bus = bus_of(store, clock, middleware=[outage], dispatch=once)
    Worker(bus).run_once()
    dead = store.parked()
    assert [row.key.version for row in dead] == [2, 3]
    outage.counters.remove("y")
    assert store.replay(dead[0].key, clock.now())
    assert store.replay(dead[1].key, clock.now())
    Worker(bus).run_once()
    assert totals(bus, "xy") == [0, 1]
    assert not store.replay(dead[1].key, clock.now())
    again, row = counter.Add(counter_id="y"), dead[1]
    with pytest.raises(DuplicateCommand):
        bus._run(Envelope(again, row.command_id, row.context, row.key))
    assert totals(bus, "y") == [1]


@pytest.mark.parametrize(
    ("replayed", "failing", "effects"), [(1, "x", [0, 1]), (0, "x", [0, 1]), (1, "y", [1, 0])]
)
def test_a_replayed_command_neither_waits_nor_holds_others_back(
    store: MemoryEventStore, clock: FakeClock, replayed: int, failing: str, effects: list[int]
) -> None:
    leave_open(store, clock, ("a", "x"), ("a", "y"))
    clock.move(seconds=10)
    row = store.pending("Counter/a")[replayed]
    store.park(row, clock.now(), "it failed")
    store.replay(row.key, clock.now())
    bus = bus_of(store, clock, middleware=[Outage(failing)])
    assert Worker(bus).run_once() == 2
    assert totals(bus, "xy") == effects


def test_what_was_given_up_lets_its_stream_go_on_at_once(
    store: MemoryEventStore, clock: FakeClock
) -> None:
    leave_open(store, clock, ("a", "x"), ("a", "y"))
    first, _ = store.pending("Counter/a")
    store.claim(first, clock.now())
    clock.move(seconds=10)
    bus = bus_of(store, clock, dispatch=Dispatch(attempts=2))
    assert Worker(bus).run_once() == 1
    assert totals(bus, "xy") == [0, 1]
    assert [row.key for row in store.parked()] == [first.key]


def test_inline_dispatch_does_not_wait_for_a_replayed_command(
    store: MemoryEventStore, clock: FakeClock
) -> None:
    leave_open(store, clock, ("a", "x"))
    (row,) = store.pending("Counter/a")
    store.park(row, clock.now(), "it failed")
    store.replay(row.key, clock.now())
    bus = bus_of(store, clock)
    bus.handle(counter.Open(counter_id="y"))
    bus.handle(counter.Add(counter_id="a", carry_to="y"))
    assert totals(bus, "xy") == [0, 1]


def test_a_dead_letter_that_is_dropped_never_runs(
    store: MemoryEventStore, clock: FakeClock
) -> None:
    leave_open(store, clock, ("a", "x"))
    clock.move(seconds=10)
    bus = bus_of(store, clock, middleware=[Outage("x")], dispatch=Dispatch(attempts=2))
    Worker(bus).run_once()
    (dead,) = store.parked()
    assert store.drop(dead.key)
    assert not store.drop(dead.key)
    clock.move(days=1)
    assert Worker(bus_of(store, clock)).run_once() == 0
    assert totals(bus, "x") == [0]


def test_every_dead_letter_is_told_of_once(store: MemoryEventStore, clock: FakeClock) -> None:
    leave_open(store, clock, ("a", "b"), ("c", "d"), ("d", "x"), ("e", "killed"))
    (refused,) = store.pending("Counter/c")
    store._pending["Counter/c"][refused.key] = replace(
        refused, payload='[{"$type":"Add","counter_id":"nowhere","carry_to":""}]'
    )
    (killed,) = store.pending("Counter/e")
    store._pending["Counter/e"][killed.key] = replace(killed, attempts=2)
    clock.move(seconds=10)
    told: list[tuple[str, PendingCommand]] = []
    bus = bus_of(
        store,
        clock,
        middleware=[Outage("x")],
        dispatch=Dispatch(attempts=2),
        on_parked=lambda name, dead, _error: told.append((name, dead)),
    )
    for _ in range(2):
        Worker(bus).run_once()
    assert {dead.key.stream_id: (name, dead.error.partition(" ")[0]) for name, dead in told} == {
        "Counter/c": ("Add", "AggregateNotFound:"),
        "Counter/d": ("Add", "RuntimeError:"),
        "Counter/e": ("Add", "gave"),
    }
    by_key = sorted([dead for _, dead in told], key=lambda dead: dead.key)
    assert by_key == store.parked()


def test_of_several_workers_one_runs_a_command(store: MemoryEventStore, clock: FakeClock) -> None:
    leave_open(store, clock, *((f"a{number}", f"b{number}") for number in range(20)))
    clock.move(seconds=10)
    outage = Outage()
    bus = bus_of(store, clock, middleware=[outage])
    with ThreadPoolExecutor(8) as pool:
        attempts = sum(pool.map(lambda _: Worker(bus).run_once(), range(8)))
    assert attempts == len(outage.tried) == len(set(outage.tried)) == 20


def test_what_another_has_done_already_counts_as_done(
    store: MemoryEventStore, clock: FakeClock
) -> None:
    leave_open(store, clock, ("a", "b"))
    bus = bus_of(store, clock)
    (row,) = store.pending("Counter/a")
    assert bus.run_pending(row)
    assert bus.run_pending(row)
    assert totals(bus, "b") == [1]


def test_it_runs_what_follows_from_what_it_runs(store: MemoryEventStore, clock: FakeClock) -> None:
    bus = bus_of(store, clock, dispatch=KILLED)
    for name in "abc":
        bus.handle(counter.Open(counter_id=name))
    bus.handle(counter.Add(counter_id="a", carry_to="b"))
    (row,) = store.pending("Counter/a")
    bus_of(store, clock).run_pending(row)
    assert totals(bus, "abc") == [1, 1, 0]
    assert store.pending("Counter/b") == []


def test_more_streams_than_a_worker_looks_at_are_run_in_one_pass(
    store: MemoryEventStore, clock: FakeClock
) -> None:
    leave_open(store, clock, *((f"a{number}", f"b{number}") for number in range(150)))
    clock.move(seconds=10)
    assert Worker(bus_of(store, clock)).run_once() == 150


class Asked(MemoryEventStore):
    """Knows for which parts it was asked, and how many streams it gave. With `is_met`, another
    worker is always faster, and each claim takes longer than a pass."""

    def __init__(self, clock: FakeClock, *, is_met: bool) -> None:
        super().__init__()
        self.asked = list[tuple[int | None, int]]()
        self._clock, self._is_met = clock, is_met

    def due(self, now: Any, limit: int = 100, part: int | None = None) -> list[str]:
        found = super().due(now, limit, part)
        self.asked.append((part, len(found)))
        return found

    def claim(self, pending: PendingCommand, due_at: Any) -> bool:
        if self._is_met:
            self._clock.move(seconds=11)
        return not self._is_met and super().claim(pending, due_at)

    def stays(self) -> list[bool]:
        """Each time that a part had streams, whether the same part was asked for again."""
        asked = [each for each in self.asked if each[0] is not None]
        return [part == after for (part, found), (after, _) in pairwise(asked) if found]


@pytest.mark.parametrize("is_met", [False, True])
def test_of_a_long_backlog_workers_look_at_different_parts(clock: FakeClock, is_met: bool) -> None:
    store = Asked(clock, is_met=is_met)
    leave_open(store, clock, *((f"a{number}", f"b{number}") for number in range(200)))
    clock.move(seconds=10)
    worker = Worker(bus_of(store, clock, supervisor=Supervisor(threads=1)))
    if is_met:
        assert [worker.run_once() for _ in range(30)] == 30 * [0]
        assert store.stays().count(True) < store.stays().count(False)
    else:
        assert worker.run_once() == 200
        assert all(store.stays())
        assert any(
            part is not None and not found and after is not None
            for (part, found), (after, _) in pairwise(store.asked)
        ), "it looks in other parts before it looks in all of them"
    assert len({part for part, _ in store.asked}) > 3


def test_more_streams_than_a_slice_are_not_all(store: MemoryEventStore, clock: FakeClock) -> None:
    names = [f"a{number:02}" for number in range(20)]
    leave_open(store, clock, *((name, f"b{name}") for name in names))
    clock.move(seconds=10)
    worker = Worker(bus_of(store, clock, supervisor=Supervisor(threads=1)))
    for name in names[:4] + names[-4:]:
        worker._set_aside[f"Counter/{name}"] = clock.now() + timedelta(minutes=1)
    assert worker.run_once() == 12


class Reading(MemoryEventStore):
    """Counts which streams are read, and cannot read those of `faults`."""

    def __init__(self) -> None:
        super().__init__()
        self.faults: dict[str, Exception] = {}
        self.read: list[str] = []

    def pending(self, stream_id: str) -> list[PendingCommand]:
        self.read.append(stream_id)
        if stream_id in self.faults:
            raise self.faults[stream_id]
        return super().pending(stream_id)


def test_commands_that_no_release_here_knows_do_not_hide_others(clock: FakeClock) -> None:
    store = Reading()
    leave_open(store, clock, ("a", "b"))
    (row,) = store.pending("Counter/a")
    unknown = [
        replace(
            row,
            key=replace(row.key, stream_id=f"s/{number}"),
            payload='[{"$type":"Gone"}]',
            due_at=row.due_at + timedelta(milliseconds=number - 550),
        )
        for number in range(1100)
    ]
    store.restore(unknown)
    clock.move(seconds=11)
    bus = bus_of(store, clock)
    worker = Worker(bus)
    assert (worker.run_once(), totals(bus, "b")) == (1, [1])
    assert set(store.read) >= {row.key.stream_id for row in unknown}
    store.read.clear()
    assert (worker.run_once(), store.read) == (0, [])
    clock.move(minutes=1)
    assert (worker.run_once(), len(store.read)) == (0, 1100)
    assert [row.attempts for row in store.pending("s/0")] == [1]


def test_a_new_stream_does_not_wait_behind_those_that_fail_slowly(
    store: MemoryEventStore, clock: FakeClock
) -> None:
    names = [f"x{number}" for number in range(100)]
    leave_open(store, clock, *((f"a{name}", name) for name in names))
    outage, arriving = Outage(*names), list[str]()

    def slow(envelope: Envelope, handle: Next) -> Any:
        try:
            return handle(envelope)
        except RuntimeError:
            clock.move(seconds=30)
            if arriving and len(outage.tried) > 2:
                good = arriving.pop()
                leave_open(store, clock, (f"a{good}", good))
                clock.move(seconds=10)
            raise

    bus = bus_of(store, clock, middleware=[slow, outage], dispatch=Dispatch(attempts=1000))
    worker = Worker(bus)
    clock.move(seconds=10)
    while len(set(outage.tried)) < 100:
        worker.run_once()
    for good in ("g", "h", "i", "j", "k"):
        outage.tried.clear()
        arriving.append(good)
        while good not in outage.tried:
            worker.run_once()
        # Three were tried before it arrived, and every fourth look is of all parts.
        assert outage.tried.index(good) <= 3 + 4


def test_a_fault_of_one_stream_is_reported_and_the_others_go_on(clock: FakeClock) -> None:
    store = Reading()
    leave_open(store, clock, *((f"a{number}", f"b{number}") for number in range(9)))
    fault = store.faults["Counter/a4"] = ValueError("year 0 is out of range")
    told: list[tuple[str, Exception]] = []
    bus = bus_of(store, clock)
    worker = Worker(bus, faulty=lambda stream_id, error: told.append((stream_id, error)))
    clock.move(seconds=10)
    assert (worker.run_once(), worker.run_once()) == (8, 0)
    assert told == [("Counter/a4", fault)]
    clock.move(minutes=1)
    assert (worker.run_once(), told) == (0, [("Counter/a4", fault)] * 2)
    store.faults.clear()
    clock.move(minutes=1)
    assert worker.run_once() == 1


def test_a_fault_that_nobody_asks_for_is_printed(
    clock: FakeClock, capsys: pytest.CaptureFixture[str]
) -> None:
    store = Reading()
    leave_open(store, clock, ("a", "b"))
    store.faults["Counter/a"] = ValueError("year 0 is out of range")
    clock.move(seconds=10)
    assert Worker(bus_of(store, clock)).run_once() == 0
    assert capsys.readouterr().err.endswith("ValueError: year 0 is out of range\n")


def test_a_store_that_does_not_answer_is_no_fault_of_a_stream(clock: FakeClock) -> None:
    store = Reading()
    leave_open(store, clock, ("a", "b"))
    store.faults["Counter/a"] = StoreUnavailable("it is away")
    clock.move(seconds=10)
    worker = Worker(bus_of(store, clock))
    with pytest.raises(StoreUnavailable):
        worker.run_once()
    store.faults.clear()
    assert worker.run_once() == 1


class Empty(MemoryEventStore):
    """Says when it was asked and nothing was due any more."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = Flag()

    def due(self, now: Any, limit: int = 100, part: int | None = None) -> list[str]:
        found = super().due(now, limit, part)
        if not found:
            self.asked.set()
        return found


def test_it_looks_again_and_again_until_it_is_told_to_stop(clock: FakeClock) -> None:
    store = Empty()
    leave_open(store, clock, ("a", "b"))
    clock.move(seconds=10)
    bus = bus_of(store, clock)
    stop = Flag()
    thread = Thread(target=Worker(bus, interval=timedelta(milliseconds=1)).run, args=(stop,))
    thread.start()
    assert store.asked.wait(30)
    stop.set()
    thread.join(30)
    assert not thread.is_alive()
    assert totals(bus, "b") == [1]
