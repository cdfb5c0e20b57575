"""The contract suite of event stores. A new adapter runs it by supplying one fixture::

    class TestMyEventStore(EventStoreContract):
        @pytest.fixture
        def store(self) -> Iterator[EventStore]: ...

The fixture gives an empty store, and closes it.
"""

import json
from base64 import urlsafe_b64encode
from datetime import datetime, timedelta
from threading import Event as Flag
from threading import Thread
from typing import Any

import pytest

from {{ cookiecutter.__package }}.adapters.event_store import PENDING_READ
from {{ cookiecutter.__package }}.adapters.event_store.memory import MemoryEventStore
from {{ cookiecutter.__package }}.bootstrap import make_bus
from {{ cookiecutter.__package }}.bus import (
    PARTS,
    Clock,
    ConcurrencyError,
    Context,
    Dispatch,
    DuplicateCommand,
    EventStore,
    Idempotency,
    InvalidCursor,
    PendingCommand,
    PendingKey,
    Position,
    Snapshot,
    StoreError,
    Supervisor,
    Worker,
    operations,
)
from {{ cookiecutter.__package }}.config import Settings

from ...support.fakes import FakeClock
from ...support.race import THREADS, all_at_once
from ..parcel import commands, queries
from ..parcel.files import FileStore, MemoryFileStore
from ..support import counter
from ..support.commits import NOW, append, commit, events, follow_up
from ..support.process import until
from .context_contract import ContextContract
from .follow_up_contract import FollowUpContract
from .log_contract import LogContract
from .views_contract import ViewsContract


class EventStoreContract(LogContract, ContextContract, FollowUpContract, ViewsContract):
    """The contract suite. `workers` work at the same time."""

    workers = 4

    def put(self, store: EventStore, rows: list[PendingCommand]) -> None:
        """Store these commands, which may be very many."""
        store.restore(rows)

    # The stream

    def test_a_stream_nobody_wrote_is_empty(self, store: EventStore) -> None:
        loaded = store.load("s/1")
        assert loaded.position == Position.start("s/1")
        assert (loaded.events, loaded.pending) == ([], [])
        assert store.commits("s/1") == []

    def test_what_was_committed_is_loaded_as_it_was(self, store: EventStore) -> None:
        store.append(commit(append(Position.start("s/1"), "x"), command_id="c1"))
        store.append(
            commit(
                append(store.load("s/1").position, "y", "z"),
                command_id="c2",
                context=Context("another", "s/9@4"),
                recorded_at=NOW.replace(microsecond=0) - timedelta(days=1),
            )
        )
        first, second = store.commits("s/1")
        assert (first.stream_id, first.version, first.count) == ("s/1", 1, 1)
        assert (first.command_id, first.command, first.context) == (
            "c1",
            "Note",
            Context("correlation of c1"),
        )
        assert (first.events, first.recorded_at) == (events("x"), NOW)
        assert (second.version, second.count, second.events) == (2, 2, events("y", "z"))
        assert second.context == Context("another", "s/9@4")
        assert second.recorded_at == NOW.replace(microsecond=0) - timedelta(days=1)

    def test_order_is_by_version_whatever_the_clock_says(self, store: EventStore) -> None:
        for day in (3, 1, 2):
            position = store.load("s/1").position
            store.append(commit(append(position), recorded_at=NOW - timedelta(days=day)))
        assert [each.version for each in store.commits("s/1")] == [1, 2, 3]

    def test_versions_are_dense_over_commits_of_any_size(self, store: EventStore) -> None:
        for size in (1, 3, 2):
            store.append(commit(append(store.load("s/1").position, *"abc"[:size])))
        commits = store.commits("s/1")
        assert [(each.version, each.count) for each in commits] == [(1, 1), (2, 3), (5, 2)]
        assert store.load("s/1").position.version == 6

    def test_a_stream_can_be_loaded_as_of_a_version(self, store: EventStore) -> None:
        for size in (1, 3, 2):
            position = store.load("s/1").position
            row = follow_up("s/1", position.version + 1)
            store.append(commit(append(position, *"abc"[:size]), follow_ups=(row,)))
        assert store.load("s/1", 6).pending == []
        a, abc, ab = events("a"), events(*"abc"), events(*"ab")
        seen = [store.load("s/1", at) for at in range(7)]
        assert [loaded.position.version for loaded in seen] == [0, 1, 4, 4, 4, 6, 6]
        assert [loaded.events for loaded in seen] == [[], [a], *[[a, abc]] * 3, *[[a, abc, ab]] * 2]
        assert store.load("s/1").events == seen[6].events

    def test_a_part_of_the_commits_can_be_had(self, store: EventStore) -> None:
        for size in (1, 3, 2):
            store.append(commit(append(store.load("s/1").position, *"abc"[:size])))
        store.save_snapshot(Snapshot("s/1", 6, "print", "{}"))
        whole = store.commits("s/1")
        parts = {(1, 1): [1], (2, 4): [2], (2, None): [2, 5], (3, 5): [5], (6, 9): [], (1, 0): []}
        for part, versions in parts.items():
            found = store.commits("s/1", *part)
            assert found == [each for each in whole if each.version in versions]

    def test_streams_do_not_mix(self, store: EventStore) -> None:
        names = ["s/1", "s/10", "s/1:0", "s/", "S/1", "t/1"]
        for name in names:
            store.append(commit(append(Position.start(name), name)))
        assert [[e.events for e in store.commits(name)] for name in names] == [
            [events(name)] for name in names
        ]

    @pytest.mark.parametrize("text", ["", "\0\x1e", "é€𐍈\u2028", "' \" \\ \n", "x" * 200_000])
    def test_any_text_comes_back_equal(self, store: EventStore, text: str) -> None:
        store.append(commit(append(Position.start("s/1"), text)))
        (loaded,) = store.load("s/1").events
        assert json.loads(loaded)[0]["text"] == text
        assert store.commits("s/1")[0].events == loaded

    def test_a_long_stream_is_loaded_whole(self, store: EventStore) -> None:
        for number in range(30):
            store.append(commit(append(store.load("s/1").position, str(number) * 50_000)))
        written = [events(str(number) * 50_000) for number in range(30)]
        assert store.load("s/1").events == written
        assert [each.events for each in store.commits("s/1")] == written

    # One writer wins

    def test_a_stale_position_is_refused_and_nothing_written(self, store: EventStore) -> None:
        start = Position.start("s/1")
        store.append(commit(append(start, "x", "y", "z")))
        first_end = store.load("s/1").position
        store.append(commit(append(first_end)))
        before = store.load("s/1")
        for stale in (start, first_end):
            with pytest.raises(ConcurrencyError) as refused:
                store.append(commit(append(stale), follow_ups=(follow_up("s/1", 9),)))
            assert refused.value.streams == ("s/1",)
        assert store.load("s/1") == before

    def test_of_writers_at_one_position_exactly_one_wins(self, store: EventStore) -> None:
        start = Position.start("s/1")
        results = all_at_once(lambda number: store.append(commit(append(start, str(number)))))
        assert results.count(None) == 1
        assert all(isinstance(each, ConcurrencyError) for each in results if each is not None)
        assert [e.events for e in store.commits("s/1")] == [events(str(results.index(None)))]

    def test_a_commit_over_several_streams_is_all_or_nothing(self, store: EventStore) -> None:
        one, two = Position.start("s/1"), Position.start("s/2")
        store.append(commit(append(one), append(two), follow_ups=(follow_up("s/2", 1),)))
        assert [store.load(name).position.version for name in ("s/1", "s/2")] == [1, 1]
        with pytest.raises(ConcurrencyError) as refused:
            store.append(
                commit(
                    append(store.load("s/1").position),
                    append(two),
                    append(Position.start("s/3")),
                    follow_ups=(follow_up("s/3", 1),),
                )
            )
        assert refused.value.streams == ("s/2",)
        assert [store.load(name).position.version for name in ("s/1", "s/2", "s/3")] == [1, 1, 0]
        assert store.pending("s/3") == []

    def test_what_was_read_must_be_unchanged(self, store: EventStore) -> None:
        store.append(commit(append(Position.start("s/1"))))
        seen, unborn = store.load("s/1").position, Position.start("s/2")
        store.append(commit(append(Position.start("s/3")), unchanged=(seen, unborn)))
        store.append(commit(append(seen)))
        with pytest.raises(ConcurrencyError) as refused:
            store.append(commit(append(Position.start("s/4")), unchanged=(seen, unborn)))
        assert refused.value.streams == ("s/1",)
        assert [store.load(name).position.version for name in ("s/3", "s/4")] == [1, 0]

    def test_of_two_who_each_read_what_the_other_writes_at_most_one_wins(
        self, store: EventStore
    ) -> None:
        for version in (0, 1):
            streams = [f"s/{version}/{number}" for number in range(THREADS)]
            for stream_id in streams[: THREADS * version]:
                store.append(commit(append(Position.start(stream_id))))
            ends = [Position(stream_id, version) for stream_id in streams]

            def write(number: int, ends: list[Position] = ends) -> bool:
                store.append(commit(append(ends[number]), unchanged=(ends[number ^ 1],)))
                return True

            won = [result is True for result in all_at_once(write)]
            assert [pair for pair in zip(won[::2], won[1::2], strict=True) if all(pair)] == []

    def test_the_identical_commit_may_be_sent_again(self, store: EventStore) -> None:
        position = Position.start("s/1")
        same = commit(
            append(position), append(Position.start("s/2")), follow_ups=(follow_up("s/1", 1),)
        )
        single = commit(append(Position.start("s/3")))
        for each in (same, same, single, single):
            store.append(each)
        store.append(commit(append(store.load("s/1").position)))
        store.append(same)
        assert [store.load(f"s/{number}").position.version for number in (1, 2, 3)] == [2, 1, 1]
        assert len(store.pending("s/1")) == 1

    # What follows

    def test_follow_ups_are_committed_with_their_events(self, store: EventStore) -> None:
        rows = tuple(follow_up("s/1", 1, ordinal) for ordinal in range(3))
        store.append(commit(append(Position.start("s/1")), follow_ups=rows))
        assert store.pending("s/1") == store.load("s/1").pending == list(rows)
        assert store.pending("s/2") == store.load("s/2").pending == []

    def test_follow_ups_of_a_stream_are_in_order(self, store: EventStore) -> None:
        for version in range(1, 13):
            rows = (follow_up("s/1", version, 0), follow_up("s/1", version, 1))
            store.append(commit(append(store.load("s/1").position), follow_ups=rows))
        keys = [row.key for row in store.pending("s/1")]
        assert keys == [PendingKey("s/1", v, ordinal) for v in range(1, 13) for ordinal in (0, 1)]
        assert [row.key for row in store.load("s/1").pending] == keys

    def test_a_load_reads_only_some_of_very_many_follow_ups(self, store: EventStore) -> None:
        rows = [follow_up("s/1", 1, number, in_order=number == 60) for number in range(70)]
        dead = [follow_up("s/2", 1, number, parked_at=NOW, error="x") for number in range(70)]
        store.append(commit(append(Position.start("s/1")), follow_ups=tuple(rows[:PENDING_READ])))
        store.append(commit(append(Position.start("s/2")), follow_ups=tuple(dead)))
        assert store.load("s/1").more
        store.append(commit(consumes=rows[0].key))
        few = store.load("s/1")
        assert (few.pending, few.more) == (rows[1:PENDING_READ], False)
        store.restore(rows)
        many = store.load("s/1")
        assert (len(many.pending), many.more) == (PENDING_READ, True)
        assert (many.position, many.events) == (few.position, few.events)
        assert (store.load("s/2").pending, store.load("s/2").more) == ([], True)

    def test_only_an_earlier_open_one_in_order_holds_a_follow_up_back(
        self, store: EventStore
    ) -> None:
        first, second = follow_up("s/1", 1, 1), follow_up("s/1", 2)
        free = follow_up("s/1", 1, in_order=False)
        store.append(commit(append(Position.start("s/1")), follow_ups=(free, first, second)))
        held_back = [store.is_held_back(row.key) for row in (free, first, second)]
        assert held_back == [False, False, True]
        assert not store.is_held_back(PendingKey("s/2", 9, 0))
        store.park(first, NOW, "it failed")
        assert not store.is_held_back(second.key)

    def test_a_follow_up_is_seen_by_workers_when_it_is_due(self, store: EventStore) -> None:
        for number, seconds in ((1, 30), (2, 10), (3, 20)):
            row = follow_up(f"s/{number}", 1, due_at=NOW + timedelta(seconds=seconds))
            store.append(commit(append(Position.start(f"s/{number}")), follow_ups=(row,)))
        due = {s: store.due(NOW + timedelta(seconds=s)) for s in (9, 10, 25, 31)}
        assert due == {
            9: [],
            10: ["s/2"],
            25: ["s/2", "s/3"],
            31: ["s/2", "s/3", "s/1"],
        }
        tomorrow = NOW + timedelta(days=1)
        assert store.due(tomorrow, limit=2) == ["s/2", "s/1"]
        keys = [PendingKey(f"s/{number}", 1, 0) for number in (2, 3, 1)]
        assert [store.waiting(tomorrow, limit) for limit in (2, 3)] == [keys[:2], keys]

    def test_streams_that_wait_do_not_hide_one_that_may_run(self, store: EventStore) -> None:
        """It is one of 501, and 250 are due for longer, 250 for a shorter time."""
        later, ago = NOW + timedelta(seconds=9), [NOW - timedelta(seconds=n) for n in range(501)]
        names = [f"s/{number}" for number in range(500)]
        heads = [follow_up(name, 1, due_at=later) for name in names]
        times = zip(names, ago[:250] + ago[251:], strict=True)
        behind = [follow_up(name, 2, due_at=due_at) for name, due_at in times]
        self.put(store, [*heads, *behind, follow_up("s/good", 1, due_at=ago[250])])
        assert store.due(NOW, limit=5) == ["s/good"]
        store.append(commit(consumes=heads[0].key))
        assert store.park(heads[1], NOW, "it failed")
        assert sorted(store.due(NOW, limit=5)) == ["s/0", "s/1", "s/good"]
        assert [len(set(store.due(later, limit))) for limit in (5, 1000)] == [5, 501]

    def test_what_is_due_for_long_and_claimed_by_nobody_is_not_begun(
        self, store: EventStore
    ) -> None:
        clock = FakeClock(NOW)
        bus = counter.make_bus(store, dependencies={Clock: clock})
        ago, later = NOW - timedelta(seconds=61), NOW + timedelta(seconds=9)
        rows = [
            follow_up("s/claimed", 1, due_at=later),
            follow_up("s/claimed", 2, due_at=ago),
            follow_up("s/claimed", 3, due_at=ago, in_order=False),
            follow_up("s/new", 1),
            follow_up("s/old", 1, due_at=ago - timedelta(seconds=1)),
            follow_up("s/old", 2, due_at=ago),
            follow_up("s/old", 3, in_order=False),
            follow_up("s/parked", 1, due_at=ago, parked_at=ago, error="it failed"),
        ]
        store.restore(rows)
        found = operations.not_begun(bus)
        assert [(each.row.key.version, each.waits_for) for each in found] == [
            (1, "release"),
            (3, "release"),
        ]
        assert [each.row.key.stream_id for each in operations.not_begun(bus, 1)] == ["s/old"]

    def test_a_stream_is_due_once_if_one_of_its_commands_may_run(self, store: EventStore) -> None:
        later = NOW + timedelta(seconds=9)

        def row(name: str, version: int, due_at: datetime, **fields: Any) -> PendingCommand:
            return follow_up(f"s/{name}", version, due_at=due_at, **fields)

        parked = row("the first is parked", 1, NOW, parked_at=NOW, error="it failed")
        store.restore(
            [
                row("the first is not due", 1, later),
                row("the first is not due", 2, NOW),
                row("out of order", 1, later),
                row("out of order", 2, NOW),
                row("out of order", 3, NOW, in_order=False),
                row("out of order", 4, NOW, in_order=False),
                row("the first is due", 1, NOW),
                row("the first is due", 2, NOW, in_order=False),
                row("the first is due", 3, later),
                row("the first is due", 4, NOW),
                row("the first is out of order", 1, later, in_order=False),
                row("the first is out of order", 2, NOW),
                row("the second out of order is due", 1, later, in_order=False),
                row("the second out of order is due", 2, NOW, in_order=False),
                row("nothing is due", 1, later, in_order=False),
                row("nothing is due", 2, later),
                parked,
                row("the first is parked", 2, NOW),
            ]
        )
        assert sorted(store.due(NOW)) == [
            "s/out of order",
            "s/the first is due",
            "s/the first is out of order",
            "s/the first is parked",
            "s/the second out of order is due",
        ]
        assert [len(set(store.due(NOW, limit))) for limit in (1, 2, 3)] == [1, 2, 3]
        assert store.replay(parked.key, later)
        assert len(store.due(NOW)) == 5

    def test_of_many_that_are_due_the_oldest_are_given_and_the_newest(
        self, store: EventStore
    ) -> None:
        names = [f"s/{number}" for number in range(20)]
        for first, in_order in ((0, True), (10, False)):
            store.restore(
                [
                    follow_up(names[n], 1, due_at=NOW + timedelta(seconds=n), in_order=in_order)
                    for n in range(first, first + 10)
                ]
            )
        tomorrow = NOW + timedelta(days=1)
        assert store.due(tomorrow, limit=1) == names[:1]
        assert store.due(tomorrow, limit=5) == [*names[:3], *names[-2:]]
        assert store.due(tomorrow) == names
        parts = [store.due(tomorrow, part=part) for part in range(PARTS)]
        assert sorted(name for part in parts for name in part) == sorted(names)
        largest = max(range(PARTS), key=lambda part: len(parts[part]))
        assert 1 < len(parts[largest]) < len(names)
        assert store.due(tomorrow, limit=1, part=largest) == parts[largest][:1]

    def test_the_commit_that_handles_a_follow_up_consumes_it(self, store: EventStore) -> None:
        rows = (follow_up("s/1", 1, 0), follow_up("s/1", 1, 1))
        store.append(commit(append(Position.start("s/1")), follow_ups=rows))
        store.append(commit(append(store.load("s/1").position), consumes=rows[0].key))
        assert store.pending("s/1") == [rows[1]]
        store.append(commit(consumes=rows[1].key))
        assert store.pending("s/1") == []
        assert store.due(NOW + timedelta(days=1)) == []
        assert store.load("s/1").position.version == 2

    def test_a_follow_up_is_consumed_once(self, store: EventStore) -> None:
        row = follow_up("s/1", 1)
        store.append(commit(append(Position.start("s/1")), follow_ups=(row,)))
        stale = store.load("s/1").position
        first = commit(append(stale), consumes=row.key)
        store.append(first)
        now = store.load("s/1").position
        for again in (
            first,
            commit(consumes=row.key),
            commit(append(stale), consumes=row.key),
            commit(append(now), append(Position.start("s/2")), consumes=row.key),
        ):
            with pytest.raises(DuplicateCommand):
                store.append(again)
        assert [store.load(name).position.version for name in ("s/1", "s/2")] == [2, 0]

    def test_a_refused_commit_consumes_nothing(self, store: EventStore) -> None:
        row = follow_up("s/1", 1)
        store.append(commit(append(Position.start("s/1")), follow_ups=(row,)))
        with pytest.raises(ConcurrencyError):
            store.append(commit(append(Position.start("s/1")), consumes=row.key))
        assert store.pending("s/1") == [row]

    def test_of_those_who_run_one_follow_up_exactly_one_has_an_effect(
        self, store: EventStore
    ) -> None:
        row = follow_up("s/1", 1)
        store.append(commit(append(Position.start("s/1")), follow_ups=(row,)))

        def run(number: int) -> None:
            store.append(commit(append(Position.start(f"t/{number}")), consumes=row.key))

        results = all_at_once(run)
        assert results.count(None) == 1
        assert sum(store.load(f"t/{number}").position.version for number in range(THREADS)) == 1

    def test_an_attempt_is_claimed_by_one(self, store: EventStore) -> None:
        row = follow_up("s/1", 1)
        store.append(commit(append(Position.start("s/1")), follow_ups=(row,)))
        later = NOW + timedelta(seconds=9)
        assert all_at_once(lambda _: store.claim(row, later)).count(True) == 1
        (claimed,) = store.pending("s/1")
        assert (claimed.attempts, claimed.due_at) == (2, later)
        assert (store.due(NOW), store.due(later)) == ([], ["s/1"])
        assert not store.claim(row, later)
        assert store.claim(claimed, later)
        store.append(commit(consumes=row.key))
        assert not store.claim(claimed, later)

    def test_a_parked_command_is_in_nobodys_way_and_nobody_runs_it(self, store: EventStore) -> None:
        rows = (follow_up("s/1", 1, 0), follow_up("s/1", 1, 1))
        store.append(commit(append(Position.start("s/1")), follow_ups=rows))
        at = rows[0].due_at
        assert store.park(rows[0], at, "é: it failed")
        assert store.pending("s/1") == store.load("s/1").pending == [rows[1]]
        assert store.due(NOW + timedelta(days=1)) == ["s/1"]
        (dead,) = store.parked()
        assert (dead.key, dead.payload, dead.attempts) == (rows[0].key, rows[0].payload, 1)
        assert (dead.parked_at, dead.error) == (at, "é: it failed")
        assert not store.park(rows[0], at, "again")
        assert not store.claim(rows[0], at)
        with pytest.raises(DuplicateCommand):
            store.append(commit(append(store.load("s/1").position), consumes=dead.key))

    def test_only_what_is_as_it_was_seen_is_parked(self, store: EventStore) -> None:
        row = follow_up("s/1", 1)
        store.append(commit(append(Position.start("s/1")), follow_ups=(row,)))
        store.claim(row, NOW + timedelta(seconds=9))
        assert not store.park(row, NOW, "as it was before the claim")
        assert store.parked() == []

    def test_a_dead_letter_is_replayed_once_and_out_of_order(self, store: EventStore) -> None:
        row = follow_up("s/1", 1)
        store.append(commit(append(Position.start("s/1")), follow_ups=(row,)))
        assert not store.replay(row.key, NOW)
        store.park(row, NOW, "it failed")
        assert all_at_once(lambda _: store.replay(row.key, NOW)).count(True) == 1
        assert store.parked() == []
        (again,) = store.pending("s/1")
        assert (again.attempts, again.in_order) == (0, False)
        assert (again.parked_at, again.error) == (None, "")
        assert (again.command_id, again.payload) == (row.command_id, row.payload)
        assert store.waiting(NOW) == [row.key]
        store.append(commit(consumes=row.key))
        assert not store.replay(row.key, NOW)

    def test_a_dead_letter_is_dropped_and_an_open_command_is_not(self, store: EventStore) -> None:
        rows = (follow_up("s/1", 1, 0), follow_up("s/1", 1, 1))
        store.append(commit(append(Position.start("s/1")), follow_ups=rows))
        store.park(rows[0], NOW, "it failed")
        assert [store.drop(row.key) for row in rows] == [True, False]
        assert not store.drop(rows[0].key)
        assert (store.parked(), store.pending("s/1")) == ([], [rows[1]])

    def test_a_dead_letter_is_told_of_once_as_it_is_stored(self, store: EventStore) -> None:
        told: list[tuple[str, PendingKey, datetime | None, str]] = []

        def on_parked(name: str, dead: PendingCommand, _error: StoreError | None) -> None:
            told.append((name, dead.key, dead.parked_at, dead.error))

        bus = counter.make_bus(store, dispatch=Dispatch(steps=0), on_parked=on_parked)
        for name in "ab":
            bus.handle(counter.Open(counter_id=name))
        bus.handle(counter.Add(counter_id="a", carry_to="b"))
        (row,) = store.pending("Counter/a")
        assert [bus.park(row, "it\0 failed") for _ in range(2)] == [True, False]
        (dead,) = store.parked()
        assert told == [("Add", row.key, dead.parked_at, dead.error)]

    def test_dead_letters_are_listed_by_the_time_they_were_parked(self, store: EventStore) -> None:
        for number, seconds in ((1, 30), (2, 10), (3, 20)):
            row = follow_up(f"s/{number}", 1)
            store.append(commit(append(Position.start(f"s/{number}")), follow_ups=(row,)))
            store.park(row, NOW + timedelta(seconds=seconds), "it failed")
        assert [row.key.stream_id for row in store.parked()] == ["s/2", "s/3", "s/1"]
        assert [row.key.stream_id for row in store.parked(limit=2)] == ["s/2", "s/3"]

    # Under the bus

    def test_a_key_is_kept_as_long_as_its_sender_may_repeat_here_and_elsewhere(
        self, store: EventStore
    ) -> None:
        clock, elsewhere, sent = FakeClock(), MemoryEventStore(), counter.Open(counter_id="a")
        bus = counter.make_bus(store, dependencies={Clock: clock})
        key = Idempotency("queue", "key", "print", kept=timedelta(days=15))
        first = bus.handle(sent, idempotency=key)
        elsewhere.restore(list(store.dump()))
        moved = counter.make_bus(elsewhere, dependencies={Clock: clock})
        clock.move(days=14)
        for each in (bus, moved):
            for again in (key, Idempotency("queue", "key", "print")):
                outcome = each.handle(sent, idempotency=again)
                assert (outcome.replayed, outcome.events) == (True, first.events)
        clock.move(days=1)
        for each in (bus, moved):
            assert each.store.handled("queue", "key", clock.now()) is None

    def test_a_cursor_that_no_page_gave_is_refused_or_finds_a_page(self, store: EventStore) -> None:
        bus = make_bus(
            Settings(store="memory"),
            store=store,
            dependencies={FileStore: MemoryFileStore()},
        )

        def ask(text: str) -> None:
            cursor = urlsafe_b64encode(text.encode()).rstrip(b"=").decode()
            bus.ask(queries.GetParcelList(cursor=cursor))

        for odd in (r"\u0000", r"\ud800", "x" * 1024, "é" * 512):
            for place in (f'["{odd}", "a"]', f'["a", "a{odd}"]'):
                with pytest.raises(InvalidCursor):
                    ask(place)
        for wrong in ("[1, 2]", '["a"]', '["a", "a", "a"]', '{"a": "a"}', "[" * 5000, "null", ""):
            with pytest.raises(InvalidCursor):
                ask(wrong)
        longest = f'["{"x" * 1023}", ""]'
        for fine in ('["é☃𐍈", "é"]', '["", ""]', r'["\u0001\t", "\u2028"]', longest):
            ask(fine)

    def test_threads_on_one_aggregate_lose_no_update(self, store: EventStore) -> None:
        bus = counter.make_bus(store)
        bus.handle(counter.Open(counter_id="c"))
        outcomes = all_at_once(lambda _: [bus.handle(counter.Add(counter_id="c")) for _ in "abc"])
        done = [outcome for row in outcomes if isinstance(row, list) for outcome in row]
        assert done, "no thread got through"
        final = bus.ask(counter.GetTotal(counter_id="c"))
        versions = [outcome.events[0].version for outcome in done]
        assert len(set(versions)) == len(versions)
        assert final == store.load(counter.Counter.stream_of("c")).position.version - 1
        assert len(done) <= final <= THREADS * 3
        if not any(isinstance(row, StoreError) for row in outcomes):
            assert final == THREADS * 3

    def test_workers_and_inline_dispatch_at_once_have_each_effect_once_and_in_order(
        self, store: EventStore
    ) -> None:
        short = Dispatch(
            time_limit=timedelta(milliseconds=1), grace=timedelta(milliseconds=4), attempts=1000
        )
        client = counter.make_bus(store, dispatch=short)
        for name in ("source", "target"):
            client.handle(counter.Open(counter_id=name))

        def run(number: int) -> None:
            bus = counter.make_bus(store, dispatch=short)
            for _ in "ab":
                if number % 2:
                    bus.handle(counter.Add(counter_id="source", carry_to="target"))
                else:
                    Worker(bus).run_once()

        all_at_once(run, 8)
        source = client.ask(counter.GetTotal(counter_id="source"))
        while store.pending("Counter/source"):
            Worker(client).run_once()
        assert client.ask(counter.GetTotal(counter_id="target")) == source > 0
        causes = [each.context.causation_id for each in store.commits("Counter/target")[1:]]
        assert causes == [f"Counter/source@{version}" for version in range(2, source + 2)]
        assert store.parked() == []

    def test_several_workers_of_eight_threads_have_each_effect_once_and_in_order(
        self, store: EventStore
    ) -> None:
        left = Dispatch(inline=False)
        client = counter.make_bus(store, dispatch=left)
        names = ["a", "b", "c"]
        for name in names:
            client.handle(counter.Open(counter_id=f"source-{name}"))
            client.handle(counter.Open(counter_id=f"target-{name}"))
        stop, buses = Flag(), []
        for _ in range(self.workers):
            supervisor = Supervisor(threads=8)
            buses.append(counter.make_bus(store, dispatch=left, supervisor=supervisor))
        threads = [Thread(target=Worker(bus).run, args=(stop,)) for bus in buses]
        for thread in threads:
            thread.start()
        for name in names * 2:
            client.handle(counter.Add(counter_id=f"source-{name}", carry_to=f"target-{name}"))
        until(lambda: not any(store.pending(f"Counter/source-{name}") for name in names) or None)
        stop.set()
        for thread in threads:
            thread.join()
        for name in names:
            causes = [
                each.context.causation_id for each in store.commits(f"Counter/target-{name}")[1:]
            ]
            assert causes == [f"Counter/source-{name}@2", f"Counter/source-{name}@3"]
        assert store.parked() == []

    def test_threads_through_one_bus_do_not_disturb_each_other(self, store: EventStore) -> None:
        files = MemoryFileStore()
        dependencies = {FileStore: files}
        bus = make_bus(Settings(store="memory"), store=store, dependencies=dependencies)

        def run(number: int) -> Any:
            return bus.handle(
                commands.CreateParcel(
                    parcel_id=f"n{number}",
                    data={"number": number},
                ),
                correlation_id=f"of {number}",
            )

        outcomes = all_at_once(run)
        assert [outcome.events[0].event.data["number"] for outcome in outcomes] == list(
            range(THREADS)
        )
        for number in range(THREADS):
            history = bus.ask(
                queries.GetParcelHistory(
                    parcel_id=f"n{number}",
                )
            )
            assert [each.version for each in history] == [1, 2, 3]
            assert {each.correlation_id for each in history} == {f"of {number}"}
        assert len(files.files) == THREADS

    def test_it_says_that_it_is_there(self, store: EventStore) -> None:
        store.ping()
