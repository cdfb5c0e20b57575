"""What is added in one line: reactions, subscribers, layers of the store, middleware, runners."""

from collections.abc import Iterable, Sequence
from threading import Event as Flag
from types import SimpleNamespace
from typing import Any

import pytest

from {{ cookiecutter.__package }} import bootstrap
from {{ cookiecutter.__package }}.adapters.event_store.memory import MemoryEventStore
from {{ cookiecutter.__package }}.bus import (
    Command,
    CommandHandler,
    ConfigurationError,
    Dispatch,
    Envelope,
    EventHandler,
    EventStore,
    MessageBus,
    Next,
    StoredCommit,
    Subscriber,
    UnitOfWork,
    advance_all,
    follow,
)
from {{ cookiecutter.__package }}.config import Settings
from {{ cookiecutter.__package }}.entrypoints import worker

from ..support import counter

IN_MEMORY = Settings(store="memory")
COUNTING = SimpleNamespace(
    COMMANDS=counter.COMMANDS,
    EVENTS=counter.EVENTS,
    QUERIES=counter.QUERIES,
    PROJECTIONS=(),
    UPCASTERS=(),
)


class Audit(Command):
    counter_id: str


class AuditHandler(CommandHandler[Audit]):
    def handle(self, command: Audit, uow: UnitOfWork) -> None:
        uow.get(counter.Counter, command.counter_id).record(
            counter.Opened(counter_id=command.counter_id)
        )


class WhenAddedToo(EventHandler[counter.Added]):
    """The reaction of another aggregate, or of a process, to an event that is not its own."""

    def handle(self, event: counter.Added) -> Iterable[Command]:
        if not event.carry_to:
            yield Audit(counter_id=event.counter_id)


class Seen:
    """A subscriber that remembers what it was given."""

    def __init__(self, name: str = "seen") -> None:
        self.name = name
        self.commits: list[StoredCommit] = []

    def receive(self, commits: Sequence[StoredCommit]) -> None:
        self.commits.extend(commits)


class Failing(Seen):
    error: BaseException = RuntimeError("a fault")

    def receive(self, commits: Sequence[StoredCommit]) -> None:
        raise self.error


class Exiting(Failing):
    error = SystemExit(2)


class Layer:
    """A store that counts its appends, and hands on all else."""

    def __init__(self, store: EventStore) -> None:
        self._store, self.appends = store, 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def append(self, commit: Any) -> None:
        self.appends += 1
        self._store.append(commit)


# Reactions


def test_rows_for_one_event_from_several_tables_are_merged_in_order() -> None:
    store = MemoryEventStore()
    bus = counter.make_bus(
        store,
        commands=[*counter.COMMANDS, (Audit, AuditHandler)],
        events=[*counter.EVENTS, (counter.Added, [WhenAddedToo])],
    )
    for counter_id in "ab":
        bus.handle(counter.Open(counter_id=counter_id))
    bus.handle(counter.Add(counter_id="a", carry_to="b"))
    assert [commit.command for commit in store.feed().commits] == [
        *("Open", "Open", "Add", "Add", "Audit"),
    ]
    handlers = [type(each) for each in bus.registry.events[counter.Added]]
    assert handlers == [counter.WhenAdded, WhenAddedToo]


# Subscribers


def test_a_subscriber_is_given_every_commit_from_its_own_checkpoint() -> None:
    seen, store = Seen(), MemoryEventStore()
    bus = counter.make_bus(store, subscribers=[lambda _bus: seen])
    bus.handle(counter.Open(counter_id="a"))
    assert len(bus.subscriptions["seen"].lag()) == 1
    while advance_all(bus.subscriptions.values(), pytest.fail):  # type: ignore[arg-type]
        pass
    bus.handle(counter.Add(counter_id="a"))
    again = counter.make_bus(store, subscribers=[lambda _bus: seen])
    assert len(again.subscriptions["seen"].lag()) == 1
    advance_all(again.subscriptions.values(), pytest.fail)  # type: ignore[arg-type]
    assert [commit.command for commit in seen.commits] == ["Open", "Add"]
    assert again.subscriptions["seen"].lag() == []


@pytest.mark.parametrize(
    ("broken", "reason"),
    [(Failing, "a fault"), (Exiting, "a subscriber raised SystemExit(2)")],
)
def test_one_that_fails_is_reported_by_name_and_holds_back_no_other(
    broken: type[Failing], reason: str
) -> None:
    seen, failed, works, stop = Seen(), list[str](), list[str](), Flag()

    def report(name: str, error: Exception) -> None:
        failed.append(f"{name}: {error}")
        stop.set()

    bus = counter.make_bus(
        MemoryEventStore(), subscribers=[lambda _bus: broken("broken"), lambda _bus: seen]
    )
    bus.handle(counter.Open(counter_id="a"))
    follow(list(bus.subscriptions.values()), stop, 0, report, works=works.append)
    assert failed == [f"broken: {reason}"]
    assert works == ["seen"]
    assert [commit.command for commit in seen.commits] == ["Open"]
    assert len(bus.subscriptions["broken"].lag()) == 1


def test_two_subscribers_of_one_name_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="two subscribers are named 'seen'"):
        counter.make_bus(MemoryEventStore(), subscribers=[lambda _bus: Seen()] * 2)


# The composition root


def test_a_subscriber_a_layer_and_a_middleware_are_a_line_each(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    layers, names = list[Layer](), list[str]()

    def layer(_settings: Settings, store: EventStore) -> EventStore:
        layers.append(Layer(store))
        return layers[-1]

    def middleware(envelope: Envelope, handle: Next) -> Any:
        names.append(envelope.message.message_name)
        return handle(envelope)

    def subscriber(_settings: Settings, _bus: MessageBus) -> Subscriber:
        return Seen()

    monkeypatch.setattr(bootstrap, "SERVICES", (COUNTING,))
    monkeypatch.setattr(bootstrap, "STORE_LAYERS", (layer, layer))
    monkeypatch.setattr(bootstrap, "MIDDLEWARE", (middleware, *bootstrap.MIDDLEWARE))
    monkeypatch.setattr(bootstrap, "SUBSCRIBERS", (subscriber,))
    bus = bootstrap.make_bus(IN_MEMORY, dispatch=Dispatch(inline=False))
    assert bus.store is layers[1]
    bus.handle(counter.Open(counter_id="a"))
    assert [each.appends for each in layers] == [1, 1]
    assert names == ["Open"]
    assert "seen" in bus.subscriptions


def test_a_runner_is_named_in_a_line_and_runs_as_a_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    ran = Flag()

    def heartbeat(settings: Settings, bus: MessageBus, stop: Flag) -> None:
        assert settings is IN_MEMORY
        assert bus.store
        ran.set()
        stop.wait()

    monkeypatch.setattr(worker, "heartbeat", heartbeat, raising=False)
    monkeypatch.setattr(worker, "RUNNERS", (*bootstrap.RUNNERS, "worker:heartbeat"))
    running = worker.EmbeddedWorker(IN_MEMORY, bootstrap.make_bus(IN_MEMORY))
    running.start()
    assert ran.wait(30)
    running.stop()
