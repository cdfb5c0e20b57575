"""Attempts that hang: who waits for them, and what goes on meanwhile."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from threading import Event as Flag
from threading import Thread
from time import monotonic, sleep
from typing import Any

import pytest

from {{ cookiecutter.__package }}.adapters.event_store.memory import MemoryEventStore
from {{ cookiecutter.__package }}.bus import (
    Clock,
    Command,
    Dispatch,
    Envelope,
    Event,
    EventHandler,
    MessageBus,
    Next,
    PendingCommand,
    StoreUnavailable,
    SupervisedRequest,
    Supervisor,
    Worker,
    operations,
)
from {{ cookiecutter.__package }}.bus.runtime import supervisor as module

from ...support.fakes import FakeClock
from ..support import counter

SECONDS = 10  # before something that must happen is given up
LIMIT = timedelta(seconds=0.05)
OPEN = ("source", "other", "hangs", "good")


@pytest.fixture(autouse=True)
def _watches_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WATCH_SECONDS", 0.005)
    monkeypatch.setattr(module, "SLOW_SECONDS", 0.02)


class Follows(EventHandler[counter.Added]):
    """To a counter whose name begins with `new`, nothing is added: it is opened."""

    def handle(self, event: counter.Added) -> Iterable[Command]:
        if event.carry_to.startswith("new"):
            yield counter.Open(counter_id=event.carry_to)
        elif event.carry_to:
            yield counter.Add(counter_id=event.carry_to)


class Service:
    """Counters. A follow-up on counter `hangs` hangs until `go_on` is set."""

    def __init__(self, *, threads: int = 2, requests: int = 32, inline: bool = True) -> None:
        self.go_on, self.given_up = Flag(), list[tuple[Command, PendingCommand, float]]()
        self.hanging, self.ran = 0, list[str]()
        self.store, self.clock = MemoryEventStore(), FakeClock()
        self.supervisor = Supervisor(
            threads=threads, requests=requests, on_given_up=lambda *of: self.given_up.append(of)
        )
        self.bus: MessageBus = counter.make_bus(
            self.store,
            supervisor=self.supervisor,
            middleware=[self._hang],
            dispatch=Dispatch(inline=inline, time_limit=LIMIT),
            dependencies={Clock: self.clock},
            events=((counter.Opened, []), (counter.Added, [Follows])),
        )
        for name in OPEN:
            self.bus.handle(counter.Open(counter_id=name))

    def _hang(self, envelope: Envelope, handle: Next) -> Any:
        name = getattr(envelope.message, "counter_id", "")
        if name == "hangs" and envelope.consumes:
            self.hanging += 1
            assert self.go_on.wait(2 * SECONDS)  # a stop that waited for it would be seen
        result = handle(envelope)
        self.ran.append(name)
        return result

    def add(self, source: str, target: str) -> None:
        self.bus.handle(counter.Add(counter_id=source, carry_to=target))

    def request(self, source: str, target: str) -> Flag:
        """The same as a server does it: the flag is set when the request is answered."""
        answered = Flag()

        def work() -> None:
            with SupervisedRequest(answered.set) as request:
                self.add(source, target)
                request.finish()
            answered.set()

        Thread(target=work, daemon=True).start()
        return answered

    def total(self, name: str) -> int:
        total: int = self.bus.ask(counter.GetTotal(counter_id=name))
        return total

    @contextmanager
    def at_work(self, **options: Any) -> Iterator[Worker]:
        stop, worker = Flag(), Worker(self.bus, **options)
        thread = Thread(target=worker.run, args=(stop,))
        thread.start()
        try:
            yield worker
        finally:
            stop.set()
            thread.join(SECONDS)
            assert not thread.is_alive()


@pytest.fixture
def service() -> Iterator[Service]:
    service = Service()
    yield service
    service.go_on.set()


def until(holds: Callable[[], Any]) -> None:
    end = monotonic() + SECONDS
    while not holds():
        assert monotonic() < end
        sleep(0.002)


def test_no_request_waits_for_what_hangs_and_its_late_effect_counts_once(service: Service) -> None:
    assert service.request("source", "hangs").wait(SECONDS)
    ((command, row, seconds),) = service.given_up
    assert (command, row.attempts) == (counter.Add(counter_id="hangs"), 1)
    assert LIMIT.total_seconds() < seconds < SECONDS
    assert service.store.pending("Counter/source") == [row]
    service.go_on.set()
    until(lambda: service.total("hangs"))
    assert service.store.pending("Counter/source") == []
    service.add("source", "hangs")
    assert (service.total("hangs"), len(service.given_up)) == (2, 1)


def test_while_too_many_are_slow_their_type_does_not_begin_inline(service: Service) -> None:
    answered = [service.request(source, "hangs") for source in ("source", "other")]
    until(service.supervisor.shut_out)
    assert service.supervisor.shut_out() == ["Add"]
    service.add("good", "other")
    (row,) = service.store.pending("Counter/good")
    assert (row.attempts, row.due_at) == (0, service.clock.now())
    worker = Worker(service.bus)
    assert worker.run_once() == 0
    service.go_on.set()
    until(lambda: not service.supervisor.shut_out())
    service.clock.move(seconds=1)
    assert (worker.run_once(), service.total("other")) == (1, 2)
    assert all(each.wait(SECONDS) for each in answered)


def test_what_does_not_begin_because_too_many_hang_is_seen_in_the_store(service: Service) -> None:
    """By another process, after a minute. Those that hang are claimed; then they do not begin."""
    answered = [service.request(source, "hangs") for source in ("source", "other")]
    until(service.supervisor.shut_out)
    service.add("good", "other")
    seen = []
    for seconds in (59, 1, 6):
        service.clock.move(seconds=seconds)
        assert Worker(service.bus).run_once() == 0
        seen.append([row.row.key.stream_id for row in operations.not_begun(service.bus)])
    good, all_of_them = "Counter/good", {f"Counter/{name}" for name in ("good", "other", "source")}
    assert (seen[:2], seen[2][0], set(seen[2])) == ([[], [good]], good, all_of_them)
    service.go_on.set()
    assert all(each.wait(SECONDS) for each in answered)
    until(lambda: not service.supervisor.shut_out())
    service.clock.move(seconds=1)
    assert Worker(service.bus).run_once() == 1
    assert operations.not_begun(service.bus) == []


def test_follow_ups_of_only_so_many_requests_run_inline() -> None:
    service = Service(threads=8, requests=1)
    first = service.request("source", "hangs")
    until(lambda: service.hanging)
    assert service.request("other", "good").wait(SECONDS)
    assert [row.attempts for row in service.store.pending("Counter/other")] == [0]
    assert first.wait(SECONDS)
    for target in ("other", "new"):
        assert service.request("good", target).wait(SECONDS)
    assert (service.total("other"), service.total("new"), len(service.given_up)) == (2, 0, 1)
    service.go_on.set()


def test_in_a_request_follow_ups_run_at_its_end_or_before_its_next_message(
    service: Service,
) -> None:
    with SupervisedRequest(lambda: None) as request:
        service.add("source", "good")
        assert service.ran[-1] == "source"
        assert service.total("good") == 1
        service.add("source", "good")
        service.add("source", "other")
        assert service.ran[-2:] == ["good", "source"]
        request.finish()
        request.finish()
    assert service.total("other") == 1


def test_a_caller_of_its_own_waits_and_yet_an_attempt_has_its_limit(service: Service) -> None:
    calling = Thread(target=service.add, args=("source", "hangs"))
    calling.start()
    until(lambda: service.given_up)
    assert calling.is_alive()
    service.go_on.set()
    calling.join(SECONDS)
    assert service.total("hangs") == 1


def test_in_a_worker_others_go_on_while_all_its_threads_hang() -> None:
    service = Service(threads=2, inline=False)
    with service.at_work():
        for source in ("source", "other", "source"):
            service.add(source, "hangs")
        until(lambda: service.hanging == 2)
        until(lambda: len(service.given_up) == 2)
        service.add("good", "new")
        until(lambda: "new" in service.ran)
        service.add("good", "other")
        service.add("new", "newer")
        until(lambda: "newer" in service.ran)
        assert [row.attempts for row in service.store.pending("Counter/good")] == [0]
        service.go_on.set()
        until(lambda: service.total("hangs") >= 2)


def test_a_slow_attempt_does_not_delay_other_streams() -> None:
    service = Service(threads=1, inline=False)
    service.bus.dispatch = Dispatch(inline=False)
    with service.at_work() as worker:
        service.add("source", "hangs")
        until(lambda: service.hanging)
        until(lambda: len(worker._threads) == 2)
        assert service.given_up == []
        service.go_on.set()
        until(lambda: service.total("hangs"))
        service.add("other", "good")
        until(lambda: service.total("good") and len(worker._threads) == 1)


def test_a_commit_of_its_own_process_wakes_a_worker_at_once() -> None:
    service = Service(inline=False)
    looked = Flag()
    with service.at_work(interval=timedelta(hours=1), outage=lambda _error: looked.set()):
        assert looked.wait(SECONDS)
        service.add("source", "good")
        until(lambda: service.total("good"))


def test_a_store_that_does_not_answer_is_told_of_and_is_asked_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    service, told = Service(inline=False), list[Exception | None]()
    error, pending = StoreUnavailable("it is away"), service.store.pending
    service.add("source", "good")
    faults = [error, error]
    monkeypatch.setattr(
        service.store, "pending", lambda name: pending(name) if not faults else fail(faults.pop())
    )
    with service.at_work(interval=timedelta(milliseconds=1), outage=told.append):
        until(lambda: service.total("good"))
    assert [each for each in told if each] == [error, error]
    assert told[-1] is None


def fail(error: Exception) -> Any:
    raise error


def test_a_stop_waits_for_what_runs_and_not_for_what_was_given_up() -> None:
    service = Service(inline=False)
    with service.at_work():
        service.add("source", "hangs")
        until(lambda: service.hanging)
    assert len(service.given_up) == 1
    service.go_on.set()


class Slow(Command, time_limit=timedelta(seconds=90)):
    """May take long."""


class Slower(Slow):
    """As long as its parent."""


def test_a_command_has_the_time_limit_that_it_names_or_that_of_the_dispatch() -> None:
    dispatch = Dispatch(seconds=60, grace=timedelta(seconds=7))
    assert dispatch.limit_of(counter.Add) == timedelta(seconds=5)
    assert dispatch.limit_of(Slow) == dispatch.limit_of(Slower) == timedelta(seconds=90)
    assert dispatch.claim_of(Slow, 1) == timedelta(seconds=97)
    assert (dispatch.fits_inline(counter.Add), dispatch.fits_inline(Slow)) == (True, False)


@pytest.mark.parametrize("limit", [timedelta(0), timedelta(days=-1), timedelta(days=2)])
def test_a_time_limit_is_positive_and_at_most_a_day(limit: timedelta) -> None:
    with pytest.raises(TypeError, match="Endless: a time limit is more than 0, and at most a day"):
        type("Endless", (Command,), {}, time_limit=limit)


def test_only_a_command_has_a_time_limit() -> None:
    with pytest.raises(TypeError, match="Happened: only a command has a time limit"):

        class Happened(Event, time_limit=timedelta(seconds=1)):
            """Takes no time."""
