"""What the command line tells of any aggregate, of what waits, and of what belongs together."""

import json
from collections.abc import Iterable
from datetime import datetime, timedelta

import pytest
from msgspec.structs import replace

from {{ cookiecutter.__package }}.adapters.event_store.sqlite import SqliteEventStore
from {{ cookiecutter.__package }}.bus import (
    Context,
    MessageBus,
    PendingCommand,
    PendingKey,
    Progress,
    StoredCommit,
    SystemClock,
    Worker,
    operations,
)
from {{ cookiecutter.__package }}.entrypoints import shapes
from {{ cookiecutter.__package }}.entrypoints.cli import status

from ..parcel import commands
from ..support.command_line import CommandLine, bus, typed
from ..support.commits import NOW, follow_up
from ..support.counter import Add, Open

__all__ = ["bus", "typed"]

NAME = "Parcel"
ID = "parcel_id"
MODEL = "parcels"


def create(new_id: str) -> commands.CreateParcel:
    return commands.CreateParcel(
        parcel_id=new_id,
        data={"n": 1},
    )


def test_any_aggregate_is_named_with_its_id(typed: CommandLine, bus: MessageBus) -> None:
    bus.handle(Open(counter_id="a"))
    bus.handle(create("a"))
    shown = json.loads(typed("history", "Counter/a", "--json").out)["events"]
    assert [(each["command"], each["type"]) for each in shown] == [("Open", "Opened")]
    assert typed("history", "Counter/a").out.split()[1:4] == ["Open", "→", "Opened"]
    assert json.loads(typed("state", "Counter/a").out) == {
        "counter_id": "a",
        "version": 1,
        "total": 0,
    }
    assert typed("history", f"{NAME}/a") == typed("history", "a")
    state = json.loads(typed("state", f"{NAME}/a").out)
    assert (state[ID], state["version"], state["status"]) == ("a", 1, "created")
    assert (state["data"], state["location"]) == ({"n": 1}, None)


@pytest.mark.parametrize("command", ["history", "state"])
def test_an_aggregate_that_is_not_there_is_refused_with_those_that_are(
    typed: CommandLine, command: str
) -> None:
    ended = typed(command, "Contre/a")
    assert (ended.code, ended.out, ended.err.count("\n")) == (1, "", 1)
    assert "'Contre'" in ended.err
    assert NAME in ended.err
    assert "Counter" in ended.err


def test_a_version_beyond_the_end_is_refused_with_the_last_one(
    typed: CommandLine, bus: MessageBus
) -> None:
    bus.handle(create("a"))
    ended = typed("state", "a", "--at", "2")
    assert (ended.code, ended.out) == (1, "")
    assert ended.err.endswith(f": {NAME}/a has no version 2: its last is 1\n")


def test_what_is_correlated_is_found_with_what_followed_in_order(
    typed: CommandLine, bus: MessageBus
) -> None:
    for name in ("a", "b"):
        bus.handle(Open(counter_id=name))
    bus.handle(Add(counter_id="a", carry_to="b"), context=Context("story", actor="ann"))
    Worker(bus).run_once()
    ended = typed("correlated", "story", "--json")
    found = json.loads(ended.out)["events"]
    assert [(each["stream_id"], each["version"]) for each in found] == [
        ("Counter/a", 2),
        ("Counter/b", 2),
    ]
    assert {(each["correlation_id"], each["actor"]) for each in found} == {("story", "ann")}
    assert ended.err == ""  # an index finds it at once: there is no progress to show
    lines = typed("correlated", "story").out.splitlines()
    assert [line.split()[1:5] for line in lines] == [
        ["Counter/a@2", "Add", "→", "Added"],
        ["Counter/b@2", "Add", "→", "Added"],
    ]
    none = typed("correlated", "stor")
    assert (none.code, none.out, none.err.count("\n")) == (1, "", 1)


def test_a_search_that_scans_shows_how_far_it_is(
    typed: CommandLine, bus: MessageBus, monkeypatch: pytest.MonkeyPatch
) -> None:
    bus.handle(Open(counter_id="a"), correlation_id="story")
    indexed = SqliteEventStore.correlated

    def scan(store: SqliteEventStore, id_: str, progress: Progress) -> Iterable[StoredCommit]:
        progress(1, 4)
        progress(4, 4)
        return indexed(store, id_, progress)

    monkeypatch.setattr(SqliteEventStore, "correlated", scan)
    ended = typed("correlated", "story")
    assert (ended.code, ended.out.count("\n")) == (0, 1)
    assert ended.err.splitlines()[:2] == [
        "correlated:  25%  1 of 4 items",
        "correlated: 100%  4 of 4 items",
    ]


def test_what_waits_says_for_what_and_until_when(typed: CommandLine, bus: MessageBus) -> None:
    for name in ("a", "b"):
        bus.handle(Open(counter_id=name))
    for _ in range(2):
        bus.handle(Add(counter_id="a", carry_to="b"), context=Context("c", actor="ann"))
    (first, _) = bus.store.pending("Counter/a")
    later = bus.clock.now() + timedelta(days=1)
    assert bus.store.claim(first, later)
    when = f"{later:%Y-%m-%dT%H:%M:%SZ}"
    assert typed("pending").out.splitlines() == [
        f"Add  Counter/a@2#0  its next attempt  {when}",
        f"Add  Counter/a@3#0  an earlier command, Counter/a@2#0  {when}",
    ]
    shown = json.loads(typed("pending", "--json").out)["pending"]
    assert [(each["name"], each["waits_for"], each["behind"]) for each in shown] == [
        ("Counter/a@2#0", "next attempt", None),
        ("Counter/a@3#0", "earlier command", "Counter/a@2#0"),
    ]
    assert {(each["actor"], each["correlation_id"], each["known"]) for each in shown} == {
        ("ann", "c", True)
    }


def test_a_stream_that_cannot_be_read_is_one_line(
    typed: CommandLine, bus: MessageBus, monkeypatch: pytest.MonkeyPatch
) -> None:
    bus.handle(create("a"))
    bus.handle(create("b"))
    readable = SqliteEventStore.pending

    def read(store: SqliteEventStore, stream_id: str) -> list[PendingCommand]:
        if stream_id.endswith("/a"):
            raise ValueError("year 0\nis out of range")
        return readable(store, stream_id)

    monkeypatch.setattr(SqliteEventStore, "pending", read)
    reason = "ValueError: year 0 is out of range"
    shown = typed("status")
    assert shown.code == 0
    assert f"streams not readable: 1, the first is {NAME}/a: {reason}" in shown.out.splitlines()
    assert json.loads(typed("status", "--json").out)["streams not readable"] == {
        f"{NAME}/a": reason
    }
    assert typed("status", "--strict").code == 1
    shown = typed("pending")
    assert (shown.code, shown.err) == (0, f"{NAME}/a cannot be read: {reason}\n")
    assert f"{NAME}/b@1#0" in shown.out


def test_the_figures_of_status_come_as_json(typed: CommandLine, bus: MessageBus) -> None:
    bus.handle(create("a"))
    figures = json.loads(typed("status", "--json").out)
    (due,) = bus.store.pending(f"{NAME}/a")
    commands = {"open": 1, "due": 1, "due_since": due.due_at.isoformat(timespec="microseconds")}
    assert figures["commands"] == commands
    assert figures["dead letters"] == {"parked": 0, "parked_since": None}
    assert figures[f"read model {MODEL}"]["behind"] == 1
    assert figures[f"read model {MODEL}"]["since"] < figures["commands"]["due_since"] + "~"


def test_status_names_what_is_due_and_not_begun(
    typed: CommandLine, bus: MessageBus, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a", "b"):
        bus.handle(create(name))
    assert "not begun" not in typed("status").out
    (row,) = bus.store.pending(f"{NAME}/a")
    minutes = [timedelta(minutes=6), timedelta(minutes=1)]
    monkeypatch.setattr(SystemClock, "now", lambda _clock: row.due_at + minutes[0])
    text = f"2 Process{NAME}, the oldest for 360.0 s: {status.WHY_NOT_BEGUN}"
    assert f"commands not begun: {text}\n" in typed("status").out
    assert text in typed("status", "--strict").err
    assert json.loads(typed("status", "--json").out)["commands not begun"] == {
        "commands": {f"Process{NAME}": {"count": 2, "due_since": shapes.utc(row.due_at)}},
        "more": False,
    }
    monkeypatch.setattr(operations, "NOT_BEGUN_STREAMS", 2)
    assert "commands not begun: at least 2 " in typed("status").out
    monkeypatch.setattr(SystemClock, "now", lambda _clock: row.due_at + minutes[1])
    assert bus.store.claim(row, row.due_at + timedelta(hours=1))
    assert "not begun" not in typed("status").out


def test_status_names_who_holds_the_feed_back(
    typed: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "feed" not in json.loads(typed("status", "--json").out)
    monkeypatch.setattr(SqliteEventStore, "holders", lambda _store: ["pid 7", "pid 8"])
    assert "feed: held back by pid 7; pid 8\n" in typed("status").out
    assert json.loads(typed("status", "--json").out)["feed"]["held_back_by"] == ["pid 7", "pid 8"]


@pytest.fixture
def due(typed: CommandLine, bus: MessageBus) -> CommandLine:
    """The command line, where one command is due."""
    bus.handle(create("a"))
    return typed


def park_one(bus: MessageBus, new_id: str) -> PendingKey:
    bus.handle(create(new_id))
    (row,) = bus.store.pending(f"{NAME}/{new_id}")
    assert bus.park(row, "a fault")
    return row.key


def test_strict_status_fails_for_a_dead_letter_and_says_which_line(
    typed: CommandLine, bus: MessageBus
) -> None:
    assert typed("status", "--strict").code == 0
    key = park_one(bus, "a")
    assert typed("status").code == 0
    ended = typed("status", "--strict")
    assert (ended.code, ended.err.count("\n")) == (1, 1)
    assert "dead letters: 1 parked, the oldest for " in ended.err
    assert "commands: " not in ended.err
    assert json.loads(typed("status", "--strict", "--json").out)["dead letters"]["parked"] == 1
    assert bus.store.drop(key)
    assert typed("status", "--strict").code == 0


@pytest.mark.parametrize(
    ("strict", "of_age", "code"),
    [
        ("--strict", 4, 0),
        ("--strict", 6, 1),
        ("--strict=9", 6, 0),
        ("--strict=0", 0.1, 1),
        ("--strict=-1", 0, 2),
        ("--strict=1e9", 0, 2),
    ],
)
def test_strict_status_fails_for_what_is_due_for_longer_than_asked(
    due: CommandLine, monkeypatch: pytest.MonkeyPatch, strict: str, of_age: float, code: int
) -> None:
    later = SystemClock().now() + timedelta(minutes=of_age)
    monkeypatch.setattr(SystemClock, "now", lambda _clock: later)
    ended = due("status", strict)
    assert ended.code == code
    if code == 1:
        assert "commands: 1 open, 1 due, the oldest for " in ended.err
        assert f"read model {MODEL}: 1 commits behind, the oldest for " in ended.err


def test_all_dead_letters_are_replayed_or_all_of_a_command(
    typed: CommandLine, bus: MessageBus
) -> None:
    for name in "abc":
        park_one(bus, name)
    bus.store.restore([replace(follow_up("other", 1), parked_at=NOW)])
    none = typed("dead-letters", "replay", "--command", "Nothing")
    assert (none.code, none.out) == (1, "")
    assert f"'Nothing'; there is Note, Process{NAME}" in none.err
    ended = typed("dead-letters", "replay", "--command", f"Process{NAME}")
    assert (ended.code, ended.out) == (0, "open again: 3\n")
    assert ended.err.splitlines()[-1] == "replay: 100%  3 of 3 dead letters"
    assert [str(row.key) for row in bus.store.parked()] == ["other@1#0"]
    assert typed("dead-letters", "replay", "--all").out == "open again: 1\n"
    assert bus.store.parked() == []
    assert typed("dead-letters", "replay", "--all") == (0, "open again: 0\n", "")


@pytest.mark.parametrize("which", [[], ["--all", "--command", "X"], ["Order/a@1#0", "--all"]])
def test_what_is_replayed_is_named_in_one_way(typed: CommandLine, which: list[str]) -> None:
    assert typed("dead-letters", "replay", *which).code == 2
    assert typed("dead-letters", "drop", "--all").code == 2


@pytest.mark.parametrize(("listing", "parked"), [("pending", None), ("dead-letters list", NOW)])
def test_a_listing_that_may_not_be_all_says_so_beside_json_too(
    typed: CommandLine, bus: MessageBus, listing: str, parked: datetime | None
) -> None:
    rows = [follow_up(f"s/{number}", 1) for number in range(operations.COUNTED)]
    first, *rest = [replace(row, parked_at=parked) for row in rows]
    bus.store.restore(rest)
    assert typed(*listing.split()).err == ""
    bus.store.restore([first])
    for shape in ([], ["--json"]):
        said = typed(*listing.split(), *shape).err
        assert said == "these are the first 1,000: there may be more\n"


def test_dead_letters_come_as_json(typed: CommandLine, bus: MessageBus) -> None:
    bus.handle(create("a"))
    (row,) = bus.store.pending(f"{NAME}/a")
    assert bus.park(row, "a\nfault")
    (shown,) = json.loads(typed("dead-letters", "list", "--json").out)["dead_letters"]
    assert (shown["name"], shown["error"]) == (f"{NAME}/a@1#0", "a\nfault")
    assert json.loads(typed("dead-letters", "show", f"{NAME}/a@1#0").out) == shown
