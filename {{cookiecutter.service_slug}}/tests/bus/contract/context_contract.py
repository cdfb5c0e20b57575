"""The contract of every event store for the context of a message: it stores it, and knows no field
of it."""

from typing import Any, get_type_hints

import msgspec
import pytest

from {{ cookiecutter.__package }}.adapters.event_store.memory import MemoryEventStore
from {{ cookiecutter.__package }}.bus import (
    Context,
    Dispatch,
    EventStore,
    Idempotency,
    Position,
    Worker,
)

from ..support import counter
from ..support.commits import NOW, append, commit, follow_up

VALUES: dict[Any, Any] = {str: 'é"\\ ☃', str | None: "{}' \u2028", int: 7}
FULL = Context(**{name: VALUES[kind] for name, kind in get_type_hints(Context).items()})
"""Has another value than the default in every field there is."""

LATER = Dispatch(inline=False)


def ignored(_done: int, _total: int) -> None:
    """Progress that nobody looks at."""


class ContextContract:
    """A part of the contract suite."""

    @pytest.mark.parametrize("context", [Context("c"), FULL], ids=["the least", "the most"])
    def test_the_context_is_kept_with_a_commit_and_a_pending_command(
        self, store: EventStore, context: Context
    ) -> None:
        row = msgspec.structs.replace(follow_up("s/1", 1), context=context)
        given = commit(append(Position.start("s/1")), follow_ups=(row,), context=context)
        store.append(given)
        assert [each.context for each in store.commits("s/1")] == [context]
        assert [each.context for each in store.feed().commits] == [context]
        assert [each.context for each in store.load("s/1").pending] == [context]
        assert [each.context for each in store.pending("s/1")] == [context]
        assert store.park(row, NOW, "given up")
        assert [each.context for each in store.parked()] == [context]

    def test_the_context_moves_with_an_export(self, store: EventStore) -> None:
        row = msgspec.structs.replace(follow_up("s/1", 1), context=FULL)
        store.append(commit(append(Position.start("s/1")), follow_ups=(row,), context=FULL))
        elsewhere = MemoryEventStore()
        elsewhere.restore(list(store.dump()))
        assert elsewhere.commits("s/1") == store.commits("s/1")
        assert elsewhere.pending("s/1") == [row]

    def test_all_commits_of_a_correlation_id_are_found_and_no_others(
        self, store: EventStore
    ) -> None:
        for number, correlation_id in enumerate(['a"\\é', "a", 'a"\\é', 'a"\\é']):
            stream_id = f"s/{number % 2}"
            after = store.load(stream_id).position
            store.append(commit(append(after), context=Context(correlation_id)))
        found = [(each.stream_id, each.version) for each in store.correlated('a"\\é', ignored)]
        assert sorted(found) == [("s/0", 1), ("s/0", 2), ("s/1", 2)]
        (other,) = store.correlated("a", ignored)
        assert (other.stream_id, other.version) == ("s/1", 1)
        assert list(store.correlated("nobody's", ignored)) == []

    def test_a_follow_up_inherits_the_context_of_its_cause_after_a_restart(
        self, store: EventStore
    ) -> None:
        bus = counter.make_bus(store, dispatch=LATER)
        given = msgspec.structs.replace(FULL, causation_id=None, depth=0)
        for counter_id in "ab":
            bus.handle(counter.Open(counter_id=counter_id))
        bus.handle(counter.Add(counter_id="a", carry_to="b"), context=given)
        restarted = counter.make_bus(store, dispatch=LATER)
        assert Worker(restarted).run_once() == 1
        (_, followed) = store.commits("Counter/b")
        inherited = msgspec.structs.replace(given, causation_id="Counter/a@2", depth=1)
        assert followed.context == inherited

    def test_a_key_that_is_sent_again_gives_the_context_of_then(self, store: EventStore) -> None:
        bus, key = counter.make_bus(store), Idempotency("scope", "key", "print")
        first = bus.handle(
            counter.Open(counter_id="a"), idempotency=key, context=Context("one", actor="Ada")
        )
        again = bus.handle(
            counter.Open(counter_id="a"), idempotency=key, context=Context("two", actor="Bob")
        )
        assert (again.replayed, again.events) == (True, first.events)
        assert again.events[0].context.actor == "Ada"

    def test_a_context_that_was_written_by_newer_code_is_read(self) -> None:
        assert Context.parse('{"correlation_id":"c","of_tomorrow":[1]}') == Context("c")
