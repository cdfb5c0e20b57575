"""The contract of event stores besides the streams: snapshots, keys, the feed, export and
import."""

from collections.abc import Sequence
from datetime import timedelta
from threading import Event, Thread
from typing import Any

import msgspec
import pytest

from {{ cookiecutter.__package }}.adapters.event_store.memory import MemoryEventStore
from {{ cookiecutter.__package }}.bus import (
    Commit,
    ConcurrencyError,
    Context,
    DuplicateCommand,
    EventStore,
    Idempotency,
    IdempotencyRecord,
    Position,
    Snapshot,
    Stored,
    StoredCommit,
    Subscription,
)

from ...support.race import THREADS, all_at_once
from ..support.commits import NOW, append, commit, drain, follow_up

DAY = timedelta(days=1)


def keyed(*appends: Any, key: str = "k", print_: str = "f", **fields: Any) -> Commit:
    """A commit under an idempotency key, which is on record for a day."""
    made = commit(*appends, **fields)
    record = IdempotencyRecord(
        Idempotency("POST /s", key, print_),
        made.command_id,
        tuple(each.after for each in appends),
        made.recorded_at + DAY,
    )
    return msgspec.structs.replace(made, idempotency=record)


def places(commits: list[StoredCommit]) -> list[tuple[str, int]]:
    return [(each.stream_id, each.version) for each in commits]


class Follower:
    """A subscriber that remembers."""

    name = "follower"

    def __init__(self) -> None:
        self.seen: list[StoredCommit] = []

    def receive(self, commits: Sequence[StoredCommit]) -> None:
        self.seen.extend(commits)


class LogContract:
    """A part of the contract suite."""

    # Snapshots

    def test_a_stream_is_loaded_from_its_snapshot_on(self, store: EventStore) -> None:
        for texts in ("a", "bc", "d"):
            store.append(commit(append(store.load("s/1").position, *texts)))
        snapshot = Snapshot("s/1", 3, "print", '{"é":"\\u0000"}')
        store.save_snapshot(snapshot)
        whole, tail = store.load("s/1"), store.load("s/1", fingerprint="print")
        assert (whole.snapshot, len(whole.events)) == (None, 3)
        assert (tail.snapshot, tail.events) == (snapshot, whole.events[2:])
        assert tail.position == whole.position
        store.save_snapshot(Snapshot("s/1", 4, "print", "{}"))
        end = store.load("s/1", fingerprint="print")
        assert (end.events, end.position) == ([], whole.position)
        assert end.snapshot == Snapshot("s/1", 4, "print", "{}")
        store.append(commit(append(end.position)))
        assert store.load("s/1").position.version == 5

    def test_a_snapshot_of_other_code_is_no_snapshot(self, store: EventStore) -> None:
        store.append(commit(append(Position.start("s/1"), "a", "b")))
        store.save_snapshot(Snapshot("s/1", 2, "old", "{}"))
        loaded = store.load("s/1", fingerprint="new")
        assert (loaded.snapshot, len(loaded.events)) == (None, 1)
        store.save_snapshot(Snapshot("s/1", 2, "new", "[]"))
        assert store.load("s/1", fingerprint="new").snapshot == Snapshot("s/1", 2, "new", "[]")
        assert store.load("s/1", fingerprint="old").snapshot is None

    def test_an_older_snapshot_does_not_replace_a_newer(self, store: EventStore) -> None:
        for _ in "ab":
            store.append(commit(append(store.load("s/1").position)))
        for version in (2, 1):
            store.save_snapshot(Snapshot("s/1", version, "print", f"[{version}]"))
        assert store.load("s/1", fingerprint="print").snapshot == Snapshot("s/1", 2, "print", "[2]")

    def test_a_snapshot_is_in_nobodys_way(self, store: EventStore) -> None:
        row = follow_up("s/1", 1)
        store.append(commit(append(Position.start("s/1")), follow_ups=(row,)))
        store.save_snapshot(Snapshot("s/1", 1, "print", "{}"))
        assert store.load("s/1", fingerprint="print").pending == store.pending("s/1") == [row]
        assert len(store.load("s/1", 1).events) == 1
        assert [each.version for each in store.commits("s/1")] == [1]
        assert places(drain(store)[0]) == [("s/1", 1)]
        assert [type(each) for each in store.dump()] == [StoredCommit, type(row)]

    # Idempotency keys

    def test_a_key_is_used_once(self, store: EventStore) -> None:
        first = keyed(append(Position.start("s/1")), append(Position.start("s/2")))
        store.append(first)
        assert store.handled("POST /s", "k", NOW) == first.idempotency
        for again in (first, keyed(append(Position.start("s/3"))), keyed()):
            with pytest.raises(DuplicateCommand):
                store.append(again)
        assert store.load("s/3").position.version == 0
        assert store.handled("POST /t", "k", NOW) is None
        assert store.handled("POST /s", "K", NOW) is None

    def test_a_key_without_an_event_is_used_all_the_same(self, store: EventStore) -> None:
        first = keyed()
        store.append(first)
        assert store.handled("POST /s", "k", NOW) == first.idempotency
        with pytest.raises(DuplicateCommand):
            store.append(keyed())

    def test_a_refused_commit_uses_no_key(self, store: EventStore) -> None:
        store.append(commit(append(Position.start("s/1"))))
        with pytest.raises(ConcurrencyError):
            store.append(keyed(append(Position.start("s/1"))))
        assert store.handled("POST /s", "k", NOW) is None

    def test_a_key_expires_by_the_clock(self, store: EventStore) -> None:
        store.append(keyed(append(Position.start("s/1"))))
        assert store.handled("POST /s", "k", NOW + DAY - timedelta(seconds=1)) is not None
        assert store.handled("POST /s", "k", NOW + DAY) is None
        later = keyed(append(Position.start("s/2")), print_="g", recorded_at=NOW + DAY)
        store.append(later)
        assert store.handled("POST /s", "k", NOW + DAY) == later.idempotency

    def test_of_commits_under_one_key_exactly_one_wins(self, store: EventStore) -> None:
        results = all_at_once(
            lambda number: store.append(keyed(append(Position.start(f"s/{number}"))))
        )
        assert results.count(None) == 1
        assert sum(store.load(f"s/{number}").position.version for number in range(THREADS)) == 1

    @pytest.mark.parametrize("key", ["é/# '\"", "x" * 255, "a#b", "%"])
    def test_any_key_will_do(self, store: EventStore, key: str) -> None:
        first = keyed(append(Position.start("s/1")), key=key)
        store.append(first)
        assert store.handled("POST /s", key, NOW) == first.idempotency

    # The feed

    def test_the_feed_gives_every_commit_in_the_order_of_its_stream(
        self, store: EventStore
    ) -> None:
        for texts in ("a", "bc", "d"):
            for name in ("s/1", "s/2"):
                store.append(commit(append(store.load(name).position, *texts)))
        commits, checkpoint = drain(store)
        assert sorted(places(commits)) == [(f"s/{n}", v) for n in (1, 2) for v in (1, 2, 4)]
        for name in ("s/1", "s/2"):
            assert [c for c in commits if c.stream_id == name] == store.commits(name)
        assert drain(store, checkpoint)[0] == []
        assert store.size() == 6

    def test_the_feed_goes_on_after_a_checkpoint(self, store: EventStore) -> None:
        assert drain(store)[0] == []
        _, checkpoint = drain(store)
        for number in range(1, 6):
            store.append(commit(append(Position.start(f"s/{number}"))))
            commits, checkpoint = drain(store, checkpoint)
            assert places(commits) == [(f"s/{number}", 1)]
        assert drain(store, checkpoint)[0] == []

    def test_the_feed_comes_in_pages(self, store: EventStore) -> None:
        for number in range(25):
            store.append(commit(append(Position.start(f"s/{number}"))))
        page = store.feed(limit=10)
        assert 1 <= len(page.commits) < 25
        rest, _ = drain(store, page.checkpoint)
        assert {*places(page.commits), *places(rest)} == {(f"s/{n}", 1) for n in range(25)}

    def test_the_feed_can_begin_now(self, store: EventStore) -> None:
        store.append(commit(append(Position.start("s/1"))))
        checkpoint = store.end()
        assert drain(store, checkpoint)[0] == []
        store.append(commit(append(Position.start("s/2")), follow_ups=(follow_up("s/2", 1),)))
        assert places(drain(store, checkpoint)[0]) == [("s/2", 1)]

    def test_the_feed_skips_nothing_while_others_write(self, store: EventStore) -> None:
        seen: list[StoredCommit] = []
        done = Event()

        def follow() -> None:
            checkpoint = None
            while True:
                last = done.is_set()
                commits, checkpoint = drain(store, checkpoint)
                seen.extend(commits)
                if last:
                    return

        follower = Thread(target=follow)
        follower.start()
        per_thread = 8

        def write(number: int) -> None:
            for each in range(per_thread):
                store.append(commit(append(Position.start(f"s/{number}-{each}"))))

        results = all_at_once(write, threads=8)
        done.set()
        follower.join()
        assert results == [None] * 8
        expected = {(f"s/{n}-{each}", 1) for n in range(8) for each in range(per_thread)}
        assert set(places(seen)) == expected

    def test_following_the_feed_comes_to_rest(self, store: EventStore) -> None:
        """What a subscription writes down of itself is nothing to follow."""
        follower = Follower()
        subscription = Subscription(store, follower)
        for number in range(1, 4):
            store.append(commit(append(Position.start(f"s/{number}"))))
            calls = 0
            while subscription.advance():
                calls += 1
                assert calls < 10
            assert len(follower.seen) == number

    # Dump and restore

    def test_whatever_is_done_besides_what_was_recorded_stays(self, store: EventStore) -> None:
        _a_house(store)
        seen, (row,) = drain(store)[0], store.pending("s/1")
        store.claim(row, NOW)
        (row,) = store.pending("s/1")
        store.park(row, NOW, "it failed")
        store.replay(row.key, NOW)
        store.append(commit(append(store.load("s/2").position), consumes=row.key))
        for dead in store.parked():
            store.drop(dead.key)
        store.save_snapshot(Snapshot("s/1", 3, "code", "{}"))
        store.views.clear("v")
        store.restore([msgspec.structs.replace(each, events="[]") for each in seen])
        assert [each for each in drain(store)[0] if each in seen] == seen

    def test_what_was_dumped_is_restored(self, store: EventStore) -> None:
        stored = _a_house(store)
        kinds = [type(each) for each in stored]
        assert sorted(kinds, key=kinds.index) == kinds, "one kind after the other"
        other = MemoryEventStore()
        other.restore(stored)
        assert list(other.dump()) == stored

    def test_restoring_again_changes_nothing(self, store: EventStore) -> None:
        stored = _a_house(store)
        store.restore(stored)
        assert list(store.dump()) == stored

    def test_restoring_does_not_overwrite(self, store: EventStore) -> None:
        stored = _a_house(store)
        (row,) = store.pending("s/1")
        assert store.claim(row, NOW + DAY)
        store.restore(stored)
        assert [each.attempts for each in store.pending("s/1")] == [2]

    def test_a_store_restored_goes_on_as_the_other_would_have(self, store: EventStore) -> None:
        stored = _a_house(source := MemoryEventStore())
        store.restore(stored[:3])
        store.restore(stored[3:])
        for name in ("s/1", "s/2"):
            assert store.load(name) == source.load(name)
            assert store.commits(name) == source.commits(name)
        assert store.parked() == source.parked()
        assert store.due(NOW + DAY) == source.due(NOW + DAY)
        assert store.handled("POST /s", "k", NOW) == source.handled("POST /s", "k", NOW)
        assert [type(each) for each in store.dump()] == [type(each) for each in stored]
        expected = [("s/1", 1), ("s/1", 2), ("s/1", 3), ("s/2", 1)]
        assert sorted(places(drain(store)[0])) == expected
        (row,) = store.pending("s/1")
        store.append(commit(append(store.load("s/1").position), consumes=row.key))
        assert store.pending("s/1") == []
        with pytest.raises(DuplicateCommand):
            store.append(keyed())


def _a_house(store: EventStore) -> list[Stored]:
    """Fills the store with some of everything, and returns its dump."""
    rows = (follow_up("s/1", 1, 0), follow_up("s/1", 1, 1), follow_up("s/1", 1, 2))
    store.append(commit(append(Position.start("s/1"), "é"), follow_ups=rows))
    store.append(commit(append(store.load("s/1").position), consumes=rows[0].key))
    store.append(keyed(append(Position.start("s/2")), context=Context("c", "s/1@1")))
    store.append(commit(append(store.load("s/1").position)))
    assert store.park(rows[1], NOW, "it failed")
    stored = list(store.dump())
    assert len(stored) == 4 + 2 + 1
    return stored
