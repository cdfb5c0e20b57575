"""Whatever fails, and however: each accepted command has one effect, and so has each follow-up."""

from collections import Counter
from contextlib import suppress
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from {{ cookiecutter.__package }}.adapters.event_store.memory import MemoryEventStore
from {{ cookiecutter.__package }}.bus import (
    Clock,
    ConcurrencyError,
    Dispatch,
    Idempotency,
    MessageBus,
    Retry,
    StoredCommit,
    StoreError,
    StoreUnavailable,
    Worker,
)

from ...support.fakes import FakeClock
from ..support import counter
from ..support.faults import Fault, faulty

NAMES = "abc"

Step = tuple[str, str, str]
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("add"), st.sampled_from(NAMES), st.just("")),
        st.tuples(st.just("carry"), st.sampled_from(NAMES), st.sampled_from(NAMES)),
        st.tuples(st.just("keyed"), st.sampled_from(NAMES), st.sampled_from("12")),
        st.tuples(st.just("work"), st.just(""), st.just("")),
        st.tuples(st.just("clock"), st.just(""), st.just("")),
    ),
    max_size=12,
)
FAULTS = st.lists(st.sampled_from([Fault.NONE, *Fault]), max_size=60)


class Service:
    """A counter service whose store fails as planned, on one log."""

    def __init__(self, faults: list[Fault]) -> None:
        self.log, self.clock = MemoryEventStore(), FakeClock()
        sound = self.bus()
        for name in NAMES:
            sound.handle(counter.Open(counter_id=name))
        plan = iter(faults)
        self.failing = self.bus(faulty(self.log, lambda _name: next(plan, Fault.NONE)))
        self.certain, self.perhaps, self.keys = Counter[str](), Counter[str](), set[str]()

    def bus(self, store: MemoryEventStore | None = None) -> MessageBus:
        return counter.make_bus(
            store or self.log,
            dependencies={Clock: self.clock},
            dispatch=Dispatch(grace=timedelta(0), attempts=1000),
            retry=Retry(base=0),
        )

    def take(self, step: Step) -> None:
        match step:
            case ("work", _, _):
                self.clock.move(seconds=5)
                with suppress(StoreUnavailable):
                    Worker(self.failing).run_once()
            case ("clock", _, _):
                self.clock.move(seconds=-3)
            case ("keyed", name, key):
                self.send(counter.Add(counter_id=name), name, key)
            case (_, name, carry_to):
                self.send(counter.Add(counter_id=name, carry_to=carry_to), name)

    def send(self, command: counter.Add, name: str, key: str = "") -> None:
        idempotency = Idempotency(name, key, "") if key else None
        try:
            self.failing.handle(command, idempotency=idempotency)
        except StoreUnavailable:
            self.perhaps[name] += 1
        except ConcurrencyError:  # met its own commit, which landed late
            self.perhaps[name] += 1
        else:
            if f"{name}{key}" not in self.keys:
                self.certain[name] += 1
            if key:
                self.keys.add(f"{name}{key}")

    def finish(self) -> None:
        """The faults are over; what is open is run."""
        with suppress(StoreError):
            self.failing.store.ping()  # what was on its way, lands
        worker = Worker(self.bus())
        self.clock.move(hours=1)
        for _ in range(100):
            if not worker.run_once():
                return
        raise AssertionError("it never comes to rest")

    def commits(self) -> list[StoredCommit]:
        return self.log.feed(limit=10_000).commits


@settings(max_examples=300)
@given(STEPS, FAULTS)
def test_one_effect_each_whatever_fails(steps: list[Step], faults: list[Fault]) -> None:
    service = Service(faults)
    for step in steps:
        service.take(step)
    service.finish()

    assert service.log.due(service.clock.now()) == []
    assert service.log.parked() == []
    commits = service.commits()
    for name in NAMES:
        own = [commit for commit in commits if commit.stream_id == f"Counter/{name}"]
        assert [commit.version for commit in own] == list(range(1, len(own) + 1))
        direct = sum(commit.context.causation_id is None for commit in own) - 1
        certain, perhaps = service.certain[name], service.perhaps[name]
        assert certain <= direct <= certain + perhaps
    led_to = [
        f"{commit.stream_id}@{commit.version}"
        for commit in commits
        if '"carry_to":""' not in commit.events and "Added" in commit.events
    ]
    assert sorted(led_to) == sorted(
        commit.context.causation_id for commit in commits if commit.context.causation_id
    )
    command_ids = [commit.command_id for commit in commits]
    assert len(set(command_ids)) == len(command_ids)
