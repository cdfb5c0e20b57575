"""The Lambda functions that serve no HTTP, on a table with a stream."""

import json
import os
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from {{ cookiecutter.__package }} import bootstrap
from {{ cookiecutter.__package }}.bus import Dispatch, MessageBus, StoredCommit, Worker

from ...support.lambda_functions import (
    KILLED,
    PACKAGE,
    Functions,
    lambda_functions,
    send,
    stream,
)
from ..parcel import commands, queries
from ..support.faults import Fault, faulty
from ..support.logged import Lines, lines

__all__ = ["lines"]


@pytest.fixture
def functions(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Functions]:
    with lambda_functions(monkeypatch, tmp_path) as functions:
        yield functions


def create(bus: MessageBus, *ids: str, dispatch: Dispatch) -> None:
    created = (commands.CreateParcel(parcel_id=each, data={}) for each in ids)
    send(bus, *created, dispatch=dispatch)


def listed(bus: MessageBus) -> dict[str, str]:
    page = bus.ask(queries.GetParcelList())
    return {row.id: row.status for row in page.items}


def deliver(functions: Functions, records: list[Any]) -> list[str]:
    answer = functions.stream_handler({"Records": records}, None)
    assert json.loads(json.dumps(answer)) == answer
    return [each["itemIdentifier"] for each in answer["batchItemFailures"]]


def poison(number: str, **image: Any) -> dict[str, Any]:
    return {"eventName": "INSERT", "dynamodb": {"SequenceNumber": number, "NewImage": image}}


POISON = [
    {"dynamodb": {"SequenceNumber": "7", "NewImage": None}},
    poison("7", events={"S": "[]"}),
    poison("7", events={"N": "5"}, stream_id={"S": "x"}),
    poison("7", events="hunter2"),
]


@pytest.mark.slow
@pytest.mark.parametrize("bad", POISON)
def test_a_record_that_cannot_be_handled_is_reported_and_the_others_take_effect(
    functions: Functions, bad: dict[str, Any]
) -> None:
    create(functions.bus, "a", "b", "c", dispatch=Dispatch())
    assert listed(functions.bus) == {}
    records = stream()
    middle = len(records) // 2
    batch = [*records[:middle], bad, *records[middle:]]
    for _ in "ab":
        assert deliver(functions, batch) == ["7"]
        assert listed(functions.bus) == {"a": "archived", "b": "archived", "c": "archived"}


@pytest.mark.slow
def test_an_event_of_other_code_is_reported(functions: Functions) -> None:
    create(functions.bus, "a", dispatch=Dispatch())
    records = stream()
    (first, *_) = [record for record in records if "events" in record["dynamodb"]["NewImage"]]
    first["dynamodb"]["NewImage"]["events"] = {"S": '[{"$type":"Unheard"}]'}
    first["dynamodb"]["NewImage"]["stream_id"] = {"S": "Parcel/other"}
    assert deliver(functions, records) == [first["dynamodb"]["SequenceNumber"]]
    assert listed(functions.bus) == {"a": "archived"}


def test_the_stream_wakes_the_worker(functions: Functions) -> None:
    create(functions.bus, "a", dispatch=KILLED)
    assert deliver(functions, stream()) == []
    assert deliver(functions, stream()) == []
    assert listed(functions.bus) == {"a": "archived"}


def test_what_the_stream_has_brought_does_not_count_as_lag(functions: Functions) -> None:
    create(functions.bus, "a", "b", dispatch=Dispatch())
    subscription = functions.bus.subscriptions["parcels"]
    assert len(subscription.lag()) == 6
    assert deliver(functions, stream()) == []
    assert subscription.lag() == []


def test_the_schedule_completes_what_was_cut_off(functions: Functions) -> None:
    create(functions.bus, "a", "b", dispatch=KILLED)
    assert functions.worker_handler({"any": "event"}, None)["attempted"] >= 2
    for each in "ab":
        view = functions.bus.ask(queries.GetParcel(parcel_id=each))
        assert (view.status, view.version) == ("archived", 3)
    assert functions.worker_handler(None, None) == {"attempted": 0}


class Context:
    """What Lambda says of an invocation."""

    aws_request_id = "request-1"

    def __init__(self, milliseconds: int) -> None:
        self._end = time.monotonic() + milliseconds / 1000

    def get_remaining_time_in_millis(self) -> int:
        return int((self._end - time.monotonic()) * 1000)


def test_dead_letters_are_an_error_line_until_they_are_gone(
    functions: Functions, lines: Lines
) -> None:
    create(functions.bus, "a", dispatch=KILLED)
    (row,) = functions.bus.store.pending("Parcel/a")
    functions.bus.park(row, "planted")
    for _ in "ab":
        functions.worker_handler(None, None)
    assert functions.bus.store.drop(row.key)
    functions.worker_handler(None, None)
    found = [line["count"] for line in lines() if line["event"] == "dead letters"]
    assert found == [1, 1]


def test_a_backlog_holds_a_batch_of_the_stream_for_a_second(
    functions: Functions, monkeypatch: pytest.MonkeyPatch
) -> None:
    timers: list[float] = []
    limits: list[timedelta] = []

    class Noted(threading.Timer):
        def __init__(self, seconds: float, function: Any) -> None:
            super().__init__(seconds, function)
            timers.append(seconds)

    def once(_worker: Any, _stop: Any, ends_at: datetime) -> int:
        limits.append(ends_at - functions.bus.clock.now())
        return 0

    monkeypatch.setattr(sys.modules[f"{PACKAGE}.runtime"], "Timer", Noted)
    monkeypatch.setattr(Worker, "run_once", once)
    functions.stream_handler({"Records": []}, Context(60_000))
    assert timers == [1.0]
    assert timedelta(seconds=9) < limits[0] <= timedelta(seconds=10)
    functions.worker_handler(None, Context(60_000))
    assert limits[1] > timedelta(seconds=50), "the worker has all the time that there is"


def test_what_the_stream_has_lost_the_daily_sweep_of_the_schedule_finds(
    functions: Functions,
) -> None:
    create(functions.bus, "a", dispatch=Dispatch())
    checkpoint = json.loads(functions.bus.store.end())
    checkpoint["swept"] -= 25 * 60 * 60
    functions.bus.store.views.set_cell("checkpoint/parcels", json.dumps(checkpoint), None)
    functions.worker_handler(None, None)
    assert listed(functions.bus) == {"a": "archived"}


@pytest.mark.slow
def test_it_ends_before_lambda_ends_it(functions: Functions) -> None:
    create(functions.bus, "a", "b", dispatch=KILLED)
    functions.bus.dispatch = Dispatch(time_limit=timedelta(milliseconds=1))
    assert functions.worker_handler(None, Context(4_000)) == {"attempted": 0}
    functions.bus.dispatch = Dispatch(time_limit=timedelta(seconds=30))
    assert functions.worker_handler(None, Context(29_000)) == {"attempted": 0}
    assert functions.worker_handler(None, Context(60_000))["attempted"] >= 2


@pytest.mark.parametrize("event", [None, [], "x", {}, {"Records": None}, {"Records": []}])
def test_what_is_no_batch_is_no_exception(functions: Functions, event: Any) -> None:
    assert functions.stream_handler(event, None) == {"batchItemFailures": []}


@pytest.mark.parametrize("record", [None, 5, {}, {"dynamodb": 5}])
def test_what_is_no_record_is_reported(functions: Functions, record: Any) -> None:
    assert deliver(functions, [record]) == [""]


@pytest.mark.slow
def test_it_serves_no_http_and_so_loads_nothing_for_it(functions: Functions) -> None:
    code = f"import {PACKAGE}.stream, sys; sys.exit('fastapi' in sys.modules)"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    ended = subprocess.run([sys.executable, "-c", code], env=environment, check=False)
    assert ended.returncode == 0


# A store with something around it


class Calls:
    """Counts the calls of a store, and lets those fail that it is told to."""

    def __init__(self) -> None:
        self.counted: Counter[str] = Counter()
        self.failing: set[str] = set()

    def __call__(self, name: str) -> Fault:
        self.counted[name] += 1
        return Fault.BEFORE if name in self.failing else Fault.NONE


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Calls:
    """The calls that the functions make, of a store that is wrapped; ask for it before them."""
    calls = Calls()
    layers = (lambda _settings, store: faulty(store, calls),)
    monkeypatch.setattr(bootstrap, "STORE_LAYERS", layers)
    return calls


def test_a_store_that_is_wrapped_pushes_its_records_too(calls: Calls, functions: Functions) -> None:
    create(functions.bus, "a", dispatch=Dispatch())
    assert deliver(functions, stream()) == []
    assert calls.counted["commits_in"] == 1
    assert listed(functions.bus) == {"a": "archived"}


def test_when_the_store_does_not_answer_the_batch_comes_again_whole(
    calls: Calls, functions: Functions
) -> None:
    create(functions.bus, "a", dispatch=Dispatch())
    records = stream()
    calls.failing = {"put"}
    assert len(deliver(functions, records)) == len(records)
    assert calls.counted["put"] == 1, "each record alone would wait for it, too"
    calls.failing = set()
    assert deliver(functions, records) == []
    assert listed(functions.bus) == {"a": "archived"}


# The subscribers, which the schedule drives


class Follower:
    """A subscriber of an owner's: it notes what it is given, and fails when it is told to."""

    def __init__(self, name: str) -> None:
        self.name, self.fails = name, False
        self.seen: list[str] = []

    def receive(self, commits: Sequence[StoredCommit]) -> None:
        if self.fails:
            raise RuntimeError(self.name)
        self.seen += [commit.stream_id for commit in commits]


@pytest.fixture
def followers(monkeypatch: pytest.MonkeyPatch) -> list[Follower]:
    """Two subscribers of the functions' bus; ask for them before the functions."""
    followers = [Follower("first"), Follower("second")]
    makers = [lambda _settings, _bus, each=each: each for each in followers]
    monkeypatch.setattr(bootstrap, "SUBSCRIBERS", makers)
    return followers


def checkpoints(bus: MessageBus) -> list[str | None]:
    return [bus.store.views.cell(f"checkpoint/{name}") for name in bus.subscriptions]


@pytest.mark.slow
def test_the_schedule_brings_read_models_and_subscribers_up_to_date(
    followers: list[Follower], functions: Functions
) -> None:
    create(functions.bus, "a", "b", dispatch=KILLED)
    before = checkpoints(functions.bus)
    assert set(before) == {None}
    for name in "cd":
        functions.worker_handler(None, None)
        after = checkpoints(functions.bus)
        assert all(moved not in (None, was) for moved, was in zip(after, before, strict=True))
        assert not any(each.lag() for each in functions.bus.subscriptions.values())
        create(functions.bus, name, dispatch=Dispatch())
        before = after
    functions.worker_handler(None, None)
    for follower in followers:
        assert len(follower.seen) == 4 * 3
        assert len(set(follower.seen)) == 4
    assert listed(functions.bus) == dict.fromkeys("abcd", "archived")


@pytest.mark.slow
def test_a_subscriber_that_fails_holds_back_no_other_and_is_given_it_again(
    followers: list[Follower], functions: Functions
) -> None:
    create(functions.bus, "a", dispatch=Dispatch())
    followers[0].fails = True
    assert functions.worker_handler(None, None) == {"attempted": 0}
    assert [len(each.seen) for each in followers] == [0, 3]
    assert listed(functions.bus) == {"a": "archived"}
    followers[0].fails = False
    functions.worker_handler(None, None)
    assert [len(each.seen) for each in followers] == [3, 3]


@pytest.mark.slow
def test_a_checkpoint_is_no_news_that_a_checkpoint_is_written_for(
    calls: Calls, followers: list[Follower], functions: Functions
) -> None:
    """Each is a record of the table's stream, like the rows of read models. None is a commit."""
    create(functions.bus, "a", dispatch=Dispatch())
    functions.worker_handler(None, Context(20_000))
    create(functions.bus, "b", dispatch=Dispatch())
    for expected in (len(functions.bus.subscriptions), 0, 0):
        calls.counted.clear()
        started = time.monotonic()
        functions.worker_handler(None, Context(20_000))
        assert calls.counted["set_cell"] == expected
        assert time.monotonic() - started < 10, "it ended because nothing was left"
    assert [len(each.seen) for each in followers] == [6, 6]


@pytest.mark.slow
def test_however_much_is_due_the_subscribers_have_their_turn(
    followers: list[Follower], functions: Functions, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen_before: list[int] = []

    def always(_worker: Any, *_until: Any) -> int:
        time.sleep(0.01)
        seen_before.append(len(followers[1].seen))
        return 1

    create(functions.bus, "a", dispatch=Dispatch())
    monkeypatch.setattr(Worker, "run_once", always)
    attempted = functions.worker_handler(None, Context(8_000))["attempted"]
    assert [len(each.seen) for each in followers] == [3, 3]
    assert set(seen_before) == {0, 3}, "and the commands have the time that they do not need"
    assert attempted == len(seen_before)


class OnePageAtATime:
    """A store whose feed comes in pages of one commit."""

    def __init__(self, store: Any) -> None:
        self._store = store

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def feed(self, checkpoint: str | None = None, limit: int = 1000) -> Any:
        return self._store.feed(checkpoint, min(limit, 1))


@pytest.mark.slow
def test_the_schedule_goes_on_until_nothing_is_left(
    monkeypatch: pytest.MonkeyPatch, followers: list[Follower], tmp_path: Path
) -> None:
    layers = (lambda _settings, store: OnePageAtATime(store),)
    monkeypatch.setattr(bootstrap, "STORE_LAYERS", layers)
    with lambda_functions(monkeypatch, tmp_path) as functions:
        create(functions.bus, "a", "b", dispatch=Dispatch())
        functions.worker_handler(None, Context(20_000))
        assert [len(each.seen) for each in followers] == [6, 6]
        assert listed(functions.bus) == {"a": "archived", "b": "archived"}
