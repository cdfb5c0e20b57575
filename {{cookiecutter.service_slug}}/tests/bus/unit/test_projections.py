"""Read models: whatever the feed does, the rows end as the log says."""

import random
import time
from collections.abc import Callable, Sequence
from threading import Event, Thread
from typing import Any

import msgspec
import pytest

from {{ cookiecutter.__package }}.adapters.event_store.memory import MemoryEventStore
from {{ cookiecutter.__package }}.bus import (
    AggregateNotFound,
    ConfigurationError,
    FeedPage,
    InvalidCursor,
    MessageBus,
    Page,
    Projection,
    Projector,
    Query,
    QueryHandler,
    Reader,
    RebuildSuperseded,
    RecordedEvent,
    StoredCommit,
    StoreUnavailable,
    Subscription,
    ViewRow,
)

from ..support import counter


class Row(msgspec.Struct, frozen=True):
    counter_id: str
    total: int = 0


class Totals(Projection[Row], of=counter.Counter, labels=("even", "odd")):
    """Each counter's total."""

    def apply(self, row: Row | None, recorded: RecordedEvent) -> Row | None:
        match recorded.event:
            case counter.Opened(counter_id=counter_id):
                return Row(counter_id)
            case counter.Added() if row:
                return Row(row.counter_id, row.total + 1)
        return row

    def label(self, row: Row) -> str:
        return "odd" if row.total % 2 else "even"

    def sort(self, row: Row) -> str:
        return row.counter_id


class ListTotals(Query[Page[Row]]):
    labels: tuple[str, ...] = ()
    limit: int = 100
    cursor: str | None = None


class ListTotalsHandler(QueryHandler[ListTotals]):
    def handle(self, query: ListTotals, reader: Reader) -> Page[Row]:
        return reader.page(Totals, labels=query.labels, limit=query.limit, cursor=query.cursor)


class GetRow(Query[Row]):
    counter_id: str
    min_version: int = 0


class GetRowHandler(QueryHandler[GetRow]):
    def handle(self, query: GetRow, reader: Reader) -> Row:
        return reader.row(Totals, query.counter_id, query.min_version)


QUERIES = (*counter.QUERIES, (ListTotals, ListTotalsHandler), (GetRow, GetRowHandler))


def make_bus(store: MemoryEventStore | None = None) -> MessageBus:
    return counter.make_bus(store or MemoryEventStore(), queries=QUERIES, projections=[Totals])


def projector(bus: MessageBus) -> Projector[Row]:
    return bus.projectors["totals"]


def subscription(bus: MessageBus) -> Subscription:
    (found,) = bus.subscriptions.values()
    return found


def count(bus: MessageBus, counter_id: str, times: int) -> None:
    bus.handle(counter.Open(counter_id=counter_id))
    for _ in range(times):
        bus.handle(counter.Add(counter_id=counter_id))


def catch_up(bus: MessageBus) -> None:
    while subscription(bus).advance():
        pass


def totals(bus: MessageBus) -> dict[str, int]:
    return {row.counter_id: row.total for row in bus.ask(ListTotals()).items}


def test_the_rows_follow_the_feed() -> None:
    bus = make_bus()
    for times, name in enumerate("abc"):
        count(bus, name, times)
    assert totals(bus) == {}
    catch_up(bus)
    assert totals(bus) == {"a": 0, "b": 1, "c": 2}
    bus.handle(counter.Add(counter_id="a"))
    catch_up(bus)
    assert totals(bus) == {"a": 1, "b": 1, "c": 2}


def shuffled(commits: list[StoredCommit]) -> list[StoredCommit]:
    return random.Random(7).sample(commits, len(commits))


@pytest.mark.parametrize(
    "disturbed",
    [
        lambda commits: [commit for commit in commits for _ in "ab"],
        shuffled,
        lambda commits: commits[::-1],
        lambda commits: commits[-4:],
        lambda commits: shuffled(commits)[:9] + commits[-4:],
    ],
    ids=["doubled", "shuffled", "backward", "all but the last missing", "some missing"],
)
def test_events_doubled_missing_or_out_of_turn_change_nothing(
    disturbed: Callable[[list[StoredCommit]], list[StoredCommit]],
) -> None:
    bus = make_bus()
    for times, name in enumerate("abcd"):
        count(bus, name, times)
    for name in "abcd":
        bus.handle(counter.Add(counter_id=name))
    for commit in disturbed(bus.store.feed().commits):
        projector(bus).receive([commit])
    assert totals(bus) == {"a": 1, "b": 2, "c": 3, "d": 4}


def test_the_checkpoint_moves_only_after_the_rows_are_written() -> None:
    class Failing(MemoryEventStore):
        fails = True

    store = Failing()
    bus = make_bus(store)
    count(bus, "a", 1)
    put = store.views.put

    def unavailable(*_: object) -> None:
        raise StoreUnavailable("not now")

    store.views.put = unavailable  # type: ignore[method-assign,assignment]
    with pytest.raises(StoreUnavailable):
        subscription(bus).advance()
    store.views.put = put  # type: ignore[method-assign]
    catch_up(make_bus(store))
    assert totals(bus) == {"a": 1}


def test_another_process_goes_on_where_the_last_one_stood() -> None:
    store = MemoryEventStore()
    bus, other = make_bus(store), make_bus(store)
    for number, each in enumerate((bus, other, other, bus)):
        count(each, str(number), number)
        assert len(subscription(each).lag()) == number + 1
        catch_up(each)
        assert subscription(each).lag() == []
    assert totals(bus) == {"0": 0, "1": 1, "2": 2, "3": 3}


def test_who_is_overtaken_does_not_move_the_checkpoint_back() -> None:
    store = MemoryEventStore()
    bus = make_bus(store)
    count(bus, "a", 0)
    fast = subscription(make_bus(store))

    class Overtaken:
        name = "totals"

        def receive(self, _commits: Sequence[StoredCommit]) -> None:
            count(bus, "b", 0)
            fast.advance()

    slow = Subscription(store, Overtaken())
    assert slow.advance()
    assert fast.lag() == []
    assert not slow.advance()


def test_what_was_pushed_is_not_behind_though_the_checkpoint_stands_still() -> None:
    bus = make_bus()
    count(bus, "a", 2)
    count(bus, "b", 1)
    commits = bus.store.feed().commits
    bus.project(commits[:-1])
    assert subscription(bus).lag() == commits[-1:]
    bus.project(commits[-1:])
    assert subscription(bus).lag() == []


class HeldBack(MemoryEventStore):
    """A store whose feed waits for somebody."""

    def feed(self, checkpoint: str | None = None, limit: int = 1000) -> FeedPage:
        return FeedPage([], checkpoint or "0", more=False)

    def visible(self, checkpoint: str | None = None, limit: int = 1000) -> FeedPage:
        return super().feed(checkpoint, limit)


def test_what_the_feed_holds_back_is_behind_and_a_rebuild_has_it() -> None:
    bus = make_bus(HeldBack())
    count(bus, "a", 2)
    catch_up(bus)
    assert len(subscription(bus).lag()) == 3
    projector(bus).rebuild()
    assert bus.ask(GetRow(counter_id="a")).total == 2


def test_whoever_wrote_reads_what_was_written() -> None:
    bus = make_bus()
    count(bus, "a", 3)
    with pytest.raises(AggregateNotFound):
        bus.ask(GetRow(counter_id="a"))
    assert bus.ask(GetRow(counter_id="a", min_version=4)).total == 3
    bus.handle(counter.Add(counter_id="a"))
    assert bus.ask(GetRow(counter_id="a", min_version=4)).total == 3
    assert bus.ask(GetRow(counter_id="a", min_version=5)).total == 4
    with pytest.raises(AggregateNotFound):
        bus.ask(GetRow(counter_id="unknown", min_version=1))


def test_lists_are_filtered_and_come_in_pages() -> None:
    bus = make_bus()
    for number in range(10):
        count(bus, str(number), number)
    catch_up(bus)
    assert [row.total for row in bus.ask(ListTotals(labels=("odd",))).items] == [9, 7, 5, 3, 1]
    seen, cursor = [], None
    for _ in range(4):
        page = bus.ask(ListTotals(limit=3, cursor=cursor))
        seen += [row.total for row in page.items]
        cursor = page.next
    assert (seen, cursor) == (list(range(9, -1, -1)), None)
    assert bus.ask(ListTotals(limit=10)).next is None


@pytest.mark.parametrize("cursor", ["", "x", "é", "bnVsbA", "WzEsMl0", "W10", "\udcff"])
def test_a_cursor_nobody_gave_is_refused(cursor: str) -> None:
    with pytest.raises(InvalidCursor):
        make_bus().ask(ListTotals(cursor=cursor))


class Undeclared(Totals, of=counter.Counter, labels=("even", "none")):
    """Gives a label that it does not declare."""


def test_a_row_that_no_list_would_show_is_refused_by_name() -> None:
    bus = counter.make_bus(MemoryEventStore(), projections=[Undeclared])
    count(bus, "a", 1)
    reason = "Undeclared.label gives 'odd' for 'a', .* one of even, none"
    with pytest.raises(ConfigurationError, match=reason):
        subscription(bus).advance()


# Rebuilding


def test_a_rebuilt_read_model_equals_the_live_one() -> None:
    bus = make_bus()
    for number in range(10):
        count(bus, str(number), number)
    catch_up(bus)
    live = bus.ask(ListTotals())
    told: list[tuple[int, int]] = []
    projector(bus).rebuild(lambda done, total: told.append((done, total)))
    assert bus.ask(ListTotals()) == live
    assert told == [(0, 55), (55, 55)]
    bus.handle(counter.Add(counter_id="0"))
    catch_up(bus)
    assert totals(bus)["0"] == 1


def test_a_row_that_should_not_be_there_is_gone_after_a_rebuild() -> None:
    bus = make_bus()
    count(bus, "a", 1)
    catch_up(bus)
    (row,) = bus.store.views.rows("totals.1", ["a"]).values()
    bus.store.views.put("totals.1", [msgspec.structs.replace(row, key="ghost")])
    assert len(bus.ask(ListTotals()).items) == 2
    for _ in "abc":
        projector(bus).rebuild()
        assert len(bus.ask(ListTotals()).items) == 1


def test_no_rows_are_kept_but_those_read_and_those_before() -> None:
    bus = make_bus()
    count(bus, "a", 1)
    for _ in range(4):
        projector(bus).rebuild()
    kept = [bool(bus.store.views.rows(f"totals.{number}", ["a"])) for number in range(1, 7)]
    assert kept == [False, False, False, True, True, False]


def test_who_was_reading_through_two_rebuilds_is_not_left_with_nothing() -> None:
    bus = make_bus()
    count(bus, "a", 1)
    catch_up(bus)
    views = bus.store.views
    find = views.find

    def slow(*question: Any) -> list[ViewRow]:
        views.find = find  # type: ignore[method-assign]
        for _ in "ab":
            projector(bus).rebuild()
        return find(*question)

    views.find = slow  # type: ignore[method-assign,assignment]
    assert totals(bus) == {"a": 1}


def test_a_rebuild_that_was_killed_is_begun_anew() -> None:
    bus = make_bus()
    for number in range(5):
        count(bus, str(number), number)
    catch_up(bus)

    def kill(done: int, _total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        projector(bus).rebuild(kill)
    bus.handle(counter.Add(counter_id="0"))
    catch_up(bus)
    assert totals(bus) == {"0": 1, "1": 1, "2": 2, "3": 3, "4": 4}
    projector(bus).rebuild()
    assert totals(bus) == {"0": 1, "1": 1, "2": 2, "3": 3, "4": 4}


def test_of_two_rebuilds_the_later_one_counts() -> None:
    bus = make_bus()
    count(bus, "a", 1)

    def another(done: int, _total: int) -> None:
        if not done:
            projector(make_bus(bus.store)).rebuild()  # type: ignore[arg-type]

    with pytest.raises(RebuildSuperseded):
        projector(bus).rebuild(another)
    assert totals(bus) == {"a": 1}


def test_during_a_rebuild_nobody_sees_fewer_rows_or_older_ones() -> None:
    store = MemoryEventStore()
    bus = make_bus(store)
    for number in range(30):
        count(bus, f"{number:02}", 1)
    catch_up(bus)
    done = Event()
    worse: list[tuple[str, int]] = []

    def write() -> None:
        while not done.wait(0.0005):
            bus.handle(counter.Add(counter_id="00"))
            bus.handle(counter.Add(counter_id="29"))

    def project() -> None:
        mine = make_bus(store)
        while not done.is_set():
            if not subscription(mine).advance(5):
                done.wait(0.001)

    def read() -> None:
        mine, before = make_bus(store), totals(bus)
        while not done.is_set():
            now = totals(mine)
            worse.extend(
                (name, total) for name, total in before.items() if now.get(name, -1) < total
            )
            before = now

    threads = [Thread(target=task) for task in (write, project, project, read)]
    for thread in threads:
        thread.start()
    for _ in range(100):
        projector(bus).rebuild(lambda done, total: time.sleep(0.003))
    done.set()
    for thread in threads:
        thread.join()
    catch_up(bus)
    assert worse == []
    expected = {name: store.load(f"Counter/{name}").position.version - 1 for name in totals(bus)}
    assert totals(bus) == expected


def test_a_row_of_other_code_says_that_it_must_be_rebuilt() -> None:
    bus = make_bus()
    count(bus, "a", 1)
    catch_up(bus)
    (row,) = bus.store.views.rows("totals.1", ["a"]).values()
    other = msgspec.structs.replace(row, version=9, data='{"old":1}')
    bus.store.views.put("totals.1", [other])
    with pytest.raises(ConfigurationError, match=r"totals .* must be rebuilt"):
        bus.ask(ListTotals())
    projector(bus).rebuild()
    assert totals(bus) == {"a": 1}


# Wiring


def test_two_projections_of_one_name_are_refused() -> None:
    twin = type("Totals", (Totals,), {}, of=counter.Counter, labels=())
    with pytest.raises(ConfigurationError, match="two projections are named 'totals'"):
        counter.make_bus(MemoryEventStore(), projections=[Totals, twin])


def test_a_projection_must_say_what_its_row_is() -> None:
    class Rowless(Projection, of=counter.Counter, labels=()):  # type: ignore[type-arg]
        pass

    with pytest.raises(ConfigurationError, match="Rowless must extend Projection"):
        counter.make_bus(MemoryEventStore(), projections=[Rowless])
