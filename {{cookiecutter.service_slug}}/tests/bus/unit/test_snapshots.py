"""Snapshots: a cache of the fold, right or ignored."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from {{ cookiecutter.__package }}.adapters.event_store.memory import MemoryEventStore
from {{ cookiecutter.__package }}.bus import (
    Aggregate,
    Command,
    CommandHandler,
    ConfigurationError,
    Event,
    LoadedStream,
    MessageBus,
    Snapshot,
    Snapshots,
    StoreUnavailable,
    UnitOfWork,
    applies,
    bootstrap,
)
from {{ cookiecutter.__package }}.bus.runtime import snapshots

from ..support import counter

STREAM = counter.Counter.stream_of("c")


class Store(MemoryEventStore):
    """Notes how many commits each load gave."""

    def __init__(self) -> None:
        super().__init__()
        self.loaded: list[int] = []
        self.kept: list[Snapshot] = []

    def load(self, *arguments: Any, **options: Any) -> LoadedStream:
        loaded = super().load(*arguments, **options)
        self.loaded.append(len(loaded.events))
        return loaded

    def save_snapshot(self, snapshot: Snapshot) -> None:
        self.kept.append(snapshot)
        super().save_snapshot(snapshot)


def counted(store: Store, times: int, every: int = 3) -> MessageBus:
    bus = counter.make_bus(store, snapshot_every=every)
    if not store.size():
        bus.handle(counter.Open(counter_id="c"))
    for _ in range(times):
        bus.handle(counter.Add(counter_id="c"))
    return bus


def total(bus: MessageBus) -> int:
    return bus.ask(counter.GetTotal(counter_id="c"))


@pytest.mark.parametrize("every", [1, 2, 3, 100])
def test_a_snapshot_and_its_tail_are_the_whole_fold(every: int) -> None:
    store = Store()
    bus = counted(store, 10, every)
    assert total(bus) == total(counter.make_bus(store)) == 10
    assert [kept.version for kept in store.kept] == list(range(every, 12, every))


class AddTwice(Command):
    counter_id: str


class AddTwiceHandler(CommandHandler[AddTwice]):
    def handle(self, command: AddTwice, uow: UnitOfWork) -> None:
        for _ in "ab":
            uow.get(counter.Counter, command.counter_id).record(
                counter.Added(counter_id=command.counter_id)
            )


def test_a_commit_that_goes_past_the_number_is_followed_by_one_too() -> None:
    store = Store()
    commands = (*counter.COMMANDS, (AddTwice, AddTwiceHandler))
    bus = counter.make_bus(store, commands=commands, snapshot_every=4)
    bus.handle(counter.Open(counter_id="c"))
    for _ in range(5):
        bus.handle(AddTwice(counter_id="c"))
    assert [kept.version for kept in store.kept] == [5, 9]


def test_a_load_begins_at_the_snapshot() -> None:
    store = Store()
    bus = counted(store, 10)  # eleven events: the last snapshot is at nine
    total(bus)
    assert store.loaded[-1] == 2
    total(counter.make_bus(store))
    assert store.loaded[-1] == 11


@pytest.mark.parametrize("state", ["", "00000000{}", '1234567x{"total":9}', "é"])
def test_a_damaged_snapshot_is_ignored_and_replaced(state: str) -> None:
    store = Store()
    bus = counted(store, 10)
    damaged = msgspec.structs.replace(store.kept[-1], state=state)
    store._snapshots[STREAM] = damaged
    assert total(bus) == 10
    counted(store, 1)
    assert store._snapshots[STREAM].version == 12
    assert total(bus) == 11
    assert store.loaded[-1] == 0


def test_a_snapshot_of_other_code_is_ignored_and_replaced() -> None:
    store = Store()
    counted(store, 10)
    store._snapshots[STREAM] = Snapshot(STREAM, 9, "other code", '{"total":1000}')
    bus = counted(store, 1)
    assert total(bus) == 11
    assert store._snapshots[STREAM].fingerprint != "other code"


def test_a_store_that_keeps_no_snapshot_fails_no_command() -> None:
    class Unwilling(Store):
        def save_snapshot(self, snapshot: Snapshot) -> None:
            raise StoreUnavailable("not now")

    assert total(counted(Unwilling(), 5)) == 5


def test_none_are_taken_unless_asked_for() -> None:
    store = Store()
    counted(store, 5, every=0)
    assert store.kept == []


# What outdates them


@pytest.fixture
def domain(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A domain of two packages, that can be edited."""
    for name in ("shop/domain/order", "shop/domain/money"):
        (tmp_path / name).mkdir(parents=True)
        for folder in ("shop", "shop/domain", name):
            (tmp_path / folder / "__init__.py").touch()
    module = tmp_path / "shop/domain/order/aggregate.py"
    module.write_text("# the rules")
    monkeypatch.setattr(
        snapshots.sys,  # type: ignore[attr-defined]
        "modules",
        {"shop.domain.order.aggregate": type("Module", (), {"__file__": str(module)})},
    )
    return tmp_path / "shop/domain"


def fingerprint(upcasters: str = "", **options: Any) -> str:
    kind = type("Order", (Aggregate,), {"__module__": "shop.domain.order.aggregate", **options})
    return Snapshots(1, upcasters).fingerprint(kind)


def test_a_change_anywhere_in_the_domain_outdates_them(domain: Path) -> None:
    seen = {fingerprint()}
    (domain / "order/aggregate.py").write_text("# other rules")
    seen.add(fingerprint())
    (domain / "money/rounding.py").write_text("# a helper of the rules")
    seen.add(fingerprint())
    seen.add(fingerprint("other upcasters"))
    seen.add(fingerprint(snapshot_version=2))
    assert len(seen) == 5
    assert fingerprint() in seen


def test_where_no_source_is_at_hand_the_start_says_so(domain: Path) -> None:
    (domain / "order/aggregate.py").unlink()
    for each in domain.rglob("*.py"):
        each.unlink()
    with pytest.raises(ConfigurationError, match="SNAPSHOT_EVERY"):
        fingerprint()


# Which states they can keep


class Spilled(Event):
    pass


class Vessel(Aggregate):
    def _leak(self) -> None:
        self.leaks = 1


class Careless(Vessel):
    """Sets attributes in every way that a class can; those with an annotation are no mistake."""

    times = 0
    kept: int
    _hidden: int
    __secret: int
    amounts: dict[str, int]

    def __init__(self, aggregate_id: str) -> None:
        super().__init__(aggregate_id)
        self.begun = False

    @classmethod
    def create(cls, aggregate_id: str) -> "Careless":
        new = cls(aggregate_id)
        new.created = True  # type: ignore[attr-defined]  # what is tested
        return new

    @property
    def half(self) -> int:
        return self.kept // 2

    @half.setter
    def half(self, value: int) -> None:
        self.kept = value * 2

    @applies(Spilled)
    def _spilled(self, event: Spilled) -> None:
        self.kept, self.first = self._hidden, self.__secret = 1, 2
        self.times += 1
        self.ratio: float = 0.5
        self.amounts["a"] = self.half = 3
        self.__own = event


def test_the_start_names_the_attributes_that_no_annotation_gives_a_type() -> None:
    with pytest.raises(ConfigurationError) as refused:
        bootstrap(commands=[], events=[(Spilled, [])], store=MemoryEventStore(), snapshot_every=1)
    missing = "begun, created, times, ratio, _Careless__own, first, leaks"
    assert f"Careless sets {missing}, and no annotation" in str(refused.value)
    assert "write `begun: <its type>` in the body of the class" in str(refused.value)


class Filled(Event):
    value: Any


class Box(Aggregate):
    by_number: dict[int, tuple[str, ...]]
    content: Any

    @applies(Filled)
    def _filled(self, event: Filled) -> None:
        self.content = event.value


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.binary(max_size=9) | st.floats(),
    lambda inner: st.lists(inner) | st.tuples(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


@given(VALUES, st.dictionaries(st.integers(), st.tuples(st.text())))
@pytest.mark.filterwarnings("ignore:.*cannot be kept as a snapshot")
def test_a_state_comes_back_equal_or_is_not_kept(value: Any, numbers: Any) -> None:
    box = Box("b")
    box.by_number, box.content, box.version = numbers, value, 7
    keeping = Snapshots(1)
    taken = keeping.take(box)
    if taken:
        restored = keeping.restore(Box, "b", taken)
        assert restored
        assert vars(restored) == {**vars(box), "journal": []}


def test_a_state_that_would_come_back_as_another_is_not_kept_and_said_so() -> None:
    box = Box("b")
    box.content = (1, 2)
    with pytest.warns(UserWarning, match="Box/b: its state cannot be kept as a snapshot"):
        assert Snapshots(1).take(box) is None
