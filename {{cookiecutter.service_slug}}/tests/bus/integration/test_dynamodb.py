"""What is special about the DynamoDB store: requests, layout, and the ways in which AWS says no."""

import json
import re
import socket
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count, pairwise
from typing import Any

import msgspec
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, ReadTimeoutError
from botocore.session import Session
from pynamodb.exceptions import PutError, PynamoDBException, QueryError, TransactWriteError

from {{ cookiecutter.__package }}.adapters import aws
from {{ cookiecutter.__package }}.adapters.event_store import (
    PENDING_READ,
    dynamodb,
)
from {{ cookiecutter.__package }}.adapters.event_store.dynamodb import (
    DynamoDBEventStore,
    feed,
    table,
)
from {{ cookiecutter.__package }}.adapters.event_store.dynamodb.errors import (
    conditional_write,
    translating_errors,
)
from {{ cookiecutter.__package }}.adapters.event_store.dynamodb.feed import (
    MAX_BYTES,
    Checkpoint,
    Shard,
)
from {{ cookiecutter.__package }}.adapters.event_store.dynamodb.store import TAIL_ITEMS
from {{ cookiecutter.__package }}.adapters.event_store.dynamodb.table import SHARDS
from {{ cookiecutter.__package }}.bootstrap import make_bus
from {{ cookiecutter.__package }}.bus import (
    AggregateExists,
    ConfigurationError,
    Dispatch,
    Position,
    Snapshot,
    StoredCommit,
    StoreUnavailable,
)
from {{ cookiecutter.__package }}.config import Settings

from ...support.moto_server import REGION, moto_server
from ...support.race import all_at_once
from ..parcel import commands
from ..parcel.files import FileStore, MemoryFileStore
from ..support import counter
from ..support.commits import append, commit, drain, follow_up
from ..support.dynamodb_cost import Meter

tables = count(1)
Calls = list[tuple[str, dict[str, Any]]]


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with moto_server() as url:
        yield url


@pytest.fixture
def store(url: str) -> Iterator[DynamoDBEventStore]:
    store = DynamoDBEventStore(f"special-{next(tables)}", region=REGION, url=url)
    store.item.create_table(wait=True)
    yield store
    store.close()


@pytest.fixture
def calls(store: DynamoDBEventStore) -> Calls:
    """Every request to DynamoDB from here on: its operation and its parameters."""
    seen: Calls = []
    store._connection.client.meta.events.register(
        "provide-client-params.dynamodb",
        lambda params, model, **_: seen.append((model.name, dict(params))),
    )
    return seen


def operations(calls: Calls) -> list[str]:
    return [operation for operation, _ in calls]


def refusal(code: str, *reasons: str) -> ClientError:
    """As AWS answers: the code of the request, and those of the parts of a transaction."""
    response: Any = {
        "Error": {"Code": code, "Message": "as AWS says it"},
        "CancellationReasons": [{"Code": reason, "Message": "because"} for reason in reasons],
    }
    return ClientError(response, "TransactWriteItems")


class Answers:
    """Answers requests in place of the network: with an error, or by letting the request through
    and then failing as a time-out does."""

    def __init__(self, store: DynamoDBEventStore, monkeypatch: pytest.MonkeyPatch) -> None:
        self.planned: list[Exception] = []
        self.executed_before_failing = False
        self._call = store._connection.client._make_api_call
        monkeypatch.setattr(store._connection.client, "_make_api_call", self._answer)

    def _answer(self, operation: str, params: Any) -> Any:
        if not self.planned or operation not in ("PutItem", "TransactWriteItems"):
            return self._call(operation, params)
        if self.executed_before_failing:
            self._call(operation, params)
        raise self.planned.pop(0)


@pytest.fixture
def answers(store: DynamoDBEventStore, monkeypatch: pytest.MonkeyPatch) -> Answers:
    return Answers(store, monkeypatch)


def test_a_plain_command_is_one_conditional_put(store: DynamoDBEventStore, calls: Calls) -> None:
    bus = counter.make_bus(store)
    bus.handle(counter.Open(counter_id="c"))
    assert operations(calls) == ["PutItem"]
    bus.handle(counter.Add(counter_id="c"))
    assert operations(calls) == ["PutItem", "Query", "PutItem"]
    assert "attribute_not_exists" in calls[-1][1]["ConditionExpression"]
    assert calls[1][1]["ConsistentRead"] is True


def test_the_whole_workflow_is_one_transaction_a_command(
    store: DynamoDBEventStore, calls: Calls
) -> None:
    files = {FileStore: MemoryFileStore()}
    bus = make_bus(Settings(store="memory"), store=store, dependencies=files)
    bus.handle(
        commands.CreateParcel(
            parcel_id="a",
            data={"item": "book"},
        )
    )
    write = "TransactWriteItems"
    assert operations(calls) == [write, "Query", write, "Query", write]
    parts = [len(params["TransactItems"]) for operation, params in calls if operation == write]
    assert parts == [2, 3, 2]


def test_a_commit_is_one_item_of_readable_text(store: DynamoDBEventStore) -> None:
    bus = counter.make_bus(store, dispatch=Dispatch(steps=0))
    bus.handle(counter.Open(counter_id="c"))
    bus.handle(counter.Add(counter_id="c", carry_to="d"))
    opened, added, todo = store.item.query("Counter/c")
    assert (opened.sort, added.sort, todo.sort) == (
        "commit#0000000001",
        "commit#0000000002",
        "todo#0000000002#000",
    )
    assert opened.events == '[{"$type":"Opened","counter_id":"c"}]'
    assert (opened.command, int(opened.events_count)) == ("Open", 1)
    assert todo.payload == '[{"$type":"Add","counter_id":"d","carry_to":""}]'
    assert (json.loads(todo.context)["causation_id"], int(todo.attempts)) == ("Counter/c@2", 1)


@pytest.mark.slow
def test_what_is_due_is_found_in_every_shard(store: DynamoDBEventStore) -> None:
    killed = Dispatch(steps=0, time_limit=timedelta(microseconds=1), grace=timedelta(0))
    bus = counter.make_bus(store, dispatch=killed)
    names = [f"c{number}" for number in range(20)]
    for name in names:
        bus.handle(counter.Open(counter_id=name))
        bus.handle(counter.Add(counter_id=name, carry_to="c0"))
    due = store.due(bus.clock.now(), limit=100)
    assert due == [f"Counter/{name}" for name in names]
    shards = {item.due_shard for item in store.item.scan() if item.due_shard}
    assert len(shards) == SHARDS


@pytest.mark.slow
def test_more_shards_find_what_is_due_in_those_that_were_there_before(
    url: str,
) -> None:
    killed = Dispatch(steps=0, time_limit=timedelta(microseconds=1), grace=timedelta(0))
    name = f"special-{next(tables)}"
    store = DynamoDBEventStore(name, region=REGION, url=url)
    more = DynamoDBEventStore(name, region=REGION, url=url, due_shards=16)
    store.item.create_table(wait=True)
    for each, names in ((store, "abcdefgh"), (more, "ijklmnop")):
        bus = counter.make_bus(each, dispatch=killed)
        for each_id in names:
            bus.handle(counter.Open(counter_id=each_id))
            bus.handle(counter.Add(counter_id=each_id, carry_to="a"))
    due = more.due(bus.clock.now(), limit=100)
    assert sorted(due) == [f"Counter/{name}" for name in "abcdefghijklmnop"]
    shards = {item.due_shard for item in store.item.scan() if item.due_shard}
    assert len(shards) > SHARDS


@pytest.mark.parametrize("carry_to", ["", "d"])
def test_a_write_that_was_taken_and_not_answered_has_one_effect(
    store: DynamoDBEventStore, answers: Answers, carry_to: str
) -> None:
    bus = counter.make_bus(store, dispatch=Dispatch(steps=0))
    bus.handle(counter.Open(counter_id="c"))
    answers.planned = [ReadTimeoutError(endpoint_url="here")] * 2
    answers.executed_before_failing = True
    bus.handle(counter.Add(counter_id="c", carry_to=carry_to))
    assert bus.ask(counter.GetTotal(counter_id="c")) == 1


@pytest.mark.slow
@pytest.mark.parametrize(
    ("carry_to", "error"),
    [
        ("", ReadTimeoutError(endpoint_url="here")),
        ("d", ReadTimeoutError(endpoint_url="here")),
        ("", refusal("ProvisionedThroughputExceededException")),
        ("", refusal("ThrottlingException")),
        ("d", refusal("RequestLimitExceeded")),
        ("d", refusal("InternalServerError")),
        ("d", refusal("TransactionCanceledException", "None", "ThrottlingError")),
        ("d", refusal("TransactionCanceledException", "ProvisionedThroughputExceeded")),
    ],
)
def test_what_may_succeed_later_is_sent_again_and_then_unavailable(
    store: DynamoDBEventStore, answers: Answers, carry_to: str, error: Exception
) -> None:
    bus = counter.make_bus(store, dispatch=Dispatch(steps=0))
    bus.handle(counter.Open(counter_id="c"))
    answers.planned = [error] * 2
    bus.handle(counter.Add(counter_id="c", carry_to=carry_to))
    answers.planned = [error] * 3
    with pytest.raises(StoreUnavailable):
        bus.handle(counter.Add(counter_id="c", carry_to=carry_to))
    assert answers.planned == []
    assert bus.ask(counter.GetTotal(counter_id="c")) == 1


@pytest.mark.slow
@pytest.mark.parametrize(
    ("carry_to", "error"),
    [
        ("", refusal("TransactionConflictException")),
        ("d", refusal("TransactionCanceledException", "TransactionConflict", "None")),
        ("d", refusal("TransactionCanceledException", "None", "TransactionConflict")),
    ],
)
def test_a_write_beside_another_is_tried_again(
    store: DynamoDBEventStore, answers: Answers, carry_to: str, error: Exception
) -> None:
    bus = counter.make_bus(store, dispatch=Dispatch(steps=0))
    bus.handle(counter.Open(counter_id="c"))
    answers.planned = [error] * 3
    bus.handle(counter.Add(counter_id="c", carry_to=carry_to))
    assert answers.planned == []
    assert bus.ask(counter.GetTotal(counter_id="c")) == 1


def test_a_conflict_without_a_culprit_says_nothing_of_an_id_being_taken(
    store: DynamoDBEventStore, answers: Answers
) -> None:
    files = {FileStore: MemoryFileStore()}
    bus = make_bus(Settings(store="memory"), store=store, dependencies=files)
    create = commands.CreateParcel(parcel_id="a", data={})
    answers.planned = [refusal("TransactionCanceledException", "TransactionConflict", "None")]
    bus.handle(create)
    assert answers.planned == []
    with pytest.raises(AggregateExists):
        bus.handle(create)


def test_what_no_later_try_could_mend_is_raised_as_it_is(
    store: DynamoDBEventStore, answers: Answers
) -> None:
    bus = counter.make_bus(store, dispatch=Dispatch(steps=0))
    bus.handle(counter.Open(counter_id="c"))
    answers.planned = [refusal("AccessDeniedException")]
    with pytest.raises(TransactWriteError) as failure:
        bus.handle(counter.Add(counter_id="c", carry_to="d"))
    assert "AccessDenied" in str(failure.value.cause)


def test_a_table_that_is_not_there_is_unavailable_and_named(url: str) -> None:
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("AWS_ACCESS_KEY_ID", "test")
        environment.setenv("AWS_SECRET_ACCESS_KEY", "test")
        missing = DynamoDBEventStore("missing", region=REGION, url=url)
        for call in (
            missing.ping,
            lambda: missing.load("s/1"),
            lambda: counter.make_bus(missing).handle(counter.Open(counter_id="c")),
            missing.feed,
        ):
            with pytest.raises(StoreUnavailable, match=r"missing.* run `.* create-store`") as first:
                call()
            with pytest.raises(StoreUnavailable) as again:
                call()
            assert str(again.value) == str(first.value), "a log would take it for another error"
        missing.close()


@pytest.mark.parametrize("error", [QueryError, PutError, TransactWriteError])
def test_no_answer_is_unavailable_whatever_was_asked(error: type[PynamoDBException]) -> None:
    with (
        pytest.raises(StoreUnavailable, match="timeout"),
        translating_errors(),
        conditional_write(),
    ):
        raise error("failed", ReadTimeoutError(endpoint_url="here"))


def test_an_address_with_credentials_is_named_without_them() -> None:
    url = "http://ann:hunter2@127.0.0.1:1/"
    with pytest.raises(StoreUnavailable, match=r"http://127\.0\.0\.1:1/"), translating_errors():
        raise EndpointConnectionError(endpoint_url=url)


def test_an_address_where_nobody_listens_is_unavailable_within_bounds(
    store: DynamoDBEventStore,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    silent = DynamoDBEventStore("events", region=REGION, url=f"http://127.0.0.1:{port}")
    with pytest.raises(StoreUnavailable):
        silent.ping()
    silent.close()


def test_the_table_is_created_on_request_and_only_locally(url: str) -> None:
    local = Settings(
        store="dynamodb", dynamodb_table="own", aws_endpoint_url=url, aws_region=REGION
    )
    for _ in range(2):
        dynamodb.create(local)
    store = dynamodb.open_store(local)
    store.ping()
    store.close()
    with pytest.raises(ConfigurationError, match="AWS_ENDPOINT_URL"):
        dynamodb.create(Settings(store="dynamodb", aws_region=REGION))


def test_without_a_region_the_start_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_CONFIG_FILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")
    with pytest.raises(ConfigurationError, match="AWS_REGION"):
        dynamodb.open_store(Settings(store="dynamodb"))


@pytest.fixture
def clients(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Session]]:
    """Every client made from here on, slowly: its service, and the session that makes it."""
    made: list[tuple[str, Session]] = []
    create = Session.create_client

    def recorded(session: Session, service: str, *arguments: Any, **options: Any) -> Any:
        made.append((service, session))
        time.sleep(0.02)
        return create(session, service, *arguments, **options)

    monkeypatch.setattr(Session, "create_client", recorded)
    return made


def test_all_clients_are_made_by_one_session(url: str, clients: list[tuple[str, Session]]) -> None:
    settings = Settings(store="dynamodb", aws_endpoint_url=url, aws_region=REGION)
    dynamodb.create(settings)
    store = dynamodb.open_store(settings)
    store.end()
    assert {service for service, _ in clients} == {"dynamodb", "dynamodbstreams"}
    assert {id(session) for _, session in clients} == {id(aws.session())}
    store.close()


def test_the_client_of_the_feed_is_made_once_whoever_needs_it_first(
    store: DynamoDBEventStore, clients: list[tuple[str, Session]]
) -> None:
    all_at_once(lambda _: store._feed._client)
    assert [service for service, _ in clients] == ["dynamodbstreams"]


# What it costs


def test_the_whole_workflow_costs_at_most_eighteen_write_units(store: DynamoDBEventStore) -> None:
    bus = make_bus(
        Settings(store="memory"),
        store=store,
        dependencies={FileStore: MemoryFileStore()},
    )
    meter = Meter(store._connection.client)
    bus.handle(
        commands.CreateParcel(
            parcel_id="a",
            data={"item": "book"},
        )
    )
    assert meter.requests == ["TransactWriteItems", *["Query", "TransactWriteItems"] * 2]
    assert meter.writes == 18
    assert meter.reads == 2


@pytest.mark.parametrize(("size", "expected"), [(10, 1), (900, 2), (5000, 6)])
def test_a_plain_command_costs_a_unit_for_each_kilobyte(
    store: DynamoDBEventStore, size: int, expected: int
) -> None:
    meter = Meter(store._connection.client)
    store.append(commit(append(Position.start("s/1"), "x" * size)))
    assert (meter.requests, meter.writes) == (["PutItem"], expected)


def test_a_load_reads_no_further_than_to_the_snapshot(
    store: DynamoDBEventStore, calls: Calls
) -> None:
    for number in range(6):
        store.append(commit(append(store.load("s/1").position, str(number))))
    store.save_snapshot(Snapshot("s/1", 5, "print", "{}"))
    calls.clear()
    assert len(store.load("s/1", fingerprint="print").events) == 1
    ((operation, parameters),) = calls
    assert (operation, parameters["Limit"]) == ("Query", TAIL_ITEMS)


@pytest.mark.slow
def test_a_load_skips_very_many_pending_commands(
    store: DynamoDBEventStore, calls: Calls, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dynamodb.store, "TAIL_ITEMS", PENDING_READ + 5)
    store.append(commit(append(Position.start("s/1"))))
    rows = [follow_up("s/1", 1, number) for number in range(3 * PENDING_READ)]
    store.restore(rows)
    calls.clear()
    loaded = store.load("s/1")
    assert (len(loaded.events), loaded.pending) == (1, rows[-PENDING_READ:])
    assert [parameters.get("Limit") for _, parameters in calls] == [PENDING_READ + 5] * 2
    assert store.is_held_back(rows[-1].key)
    assert operations(calls) == ["Query"] * 3


# The feed, when the stream is not what it should be


@pytest.fixture
def follower(url: str) -> Iterator[DynamoDBEventStore]:
    """A store that looks through the whole table at every other call."""
    table = f"special-{next(tables)}"
    dynamodb.create(
        Settings(store="dynamodb", dynamodb_table=table, aws_endpoint_url=url, aws_region=REGION)
    )
    store = DynamoDBEventStore(table, region=REGION, url=url)
    yield store
    store.close()


def answer(
    monkeypatch: pytest.MonkeyPatch, store: DynamoDBEventStore, name: str, change: Any
) -> None:
    client = store._feed._client
    asked = getattr(client, name)
    monkeypatch.setattr(client, name, lambda **given: change(asked(**given)))


def trimmed(_answer: Any) -> Any:
    raise ClientError({"Error": {"Code": "TrimmedDataAccessException", "Message": ""}}, "it")


def test_a_checkpoint_that_is_too_old_starts_over(
    follower: DynamoDBEventStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    follower.append(commit(append(Position.start("s/1"))))
    _, checkpoint = drain(follower)
    follower.append(commit(append(Position.start("s/2"))))
    answer(monkeypatch, follower, "get_records", trimmed)
    page = follower.feed(checkpoint)
    monkeypatch.undo()
    assert page.more
    assert {each.stream_id for each in drain(follower, page.checkpoint)[0]} == {"s/1", "s/2"}


def test_what_the_stream_has_lost_the_next_sweep_finds(
    follower: DynamoDBEventStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, checkpoint = drain(follower)
    follower.append(commit(append(Position.start("s/1"))))

    def lost(answered: Any) -> Any:
        return {**answered, "Records": answered["Records"][:0]}

    answer(monkeypatch, follower, "get_records", lost)
    assert drain(follower, checkpoint)[0] == []
    follower._feed._sweep = 0.0
    page = follower.feed(checkpoint)
    assert [each.stream_id for each in page.commits] == ["s/1"]


def test_an_expired_iterator_is_replaced(
    follower: DynamoDBEventStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkpoint = follower.end()
    follower.append(commit(append(Position.start("s/1"))))
    expired = [True]
    client = follower._feed._client
    asked = client.get_records

    def get_records(**given: Any) -> Any:
        if expired:
            expired.pop()
            code = "ExpiredIteratorException"
            raise ClientError({"Error": {"Code": code, "Message": ""}}, "GetRecords")
        return asked(**given)

    monkeypatch.setattr(client, "get_records", get_records)
    assert [each.stream_id for each in drain(follower, checkpoint)[0]] == ["s/1"]


def test_a_shard_is_followed_by_its_children_and_not_before_it_is_done(
    follower: DynamoDBEventStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stream of three shards: the first one was split."""
    follower.append(commit(append(Position.start("s/1"), "a")))
    follower.append(commit(append(Position.start("s/2"), "b")))
    (first, second) = follower._feed._client.get_records(
        ShardIterator=follower._feed._iterator(
            Checkpoint(follower._feed._stream(), 0.0, {}),
            "shardId-00000001541626099285-f35f62ef",
            ShardIteratorType="TRIM_HORIZON",
        )
    )["Records"]
    shards: dict[str, list[Any]] = {"parent": [first], "left": [second], "right": []}

    class Client:
        def describe_stream(self, **_: Any) -> Any:
            described = [
                {"ShardId": name, "SequenceNumberRange": {}, "ParentShardId": parent}
                for name, parent in (("left", "parent"), ("right", "parent"), ("parent", "gone"))
            ]
            return {"StreamDescription": {"Shards": described}}

        def get_shard_iterator(self, ShardId: str, **given: Any) -> Any:  # noqa: N803 - of AWS
            return {"ShardIterator": f"{ShardId} {given.get('SequenceNumber', '')}"}

        def get_records(self, ShardIterator: str, **_given: Any) -> Any:  # noqa: N803 - of AWS
            name, _, after = ShardIterator.partition(" ")
            following = None if name == "parent" and after else "x"
            return {"Records": [] if after else shards[name], "NextShardIterator": following}

        def close(self) -> None:
            pass

    monkeypatch.setattr(follower._feed, "_made", Client())
    at = Checkpoint(follower._feed._stream(), time.time(), {"parent": Shard()})
    commits, _ = drain(follower, msgspec.json.encode(at).decode())
    assert [each.stream_id for each in commits] == ["s/1", "s/2"]


class Shards:
    """The client of a stream: each shard with its parent, and its records, a commit each. A shard
    is closed when it has a child. A feed that reads them again and again fails."""

    def __init__(self, item: type[table.Item], parents: dict[str, str]) -> None:
        self._item, self._parents = item, parents
        self._streams: dict[str, list[str]] = {}
        self._asked = 0

    def split(self, shard: str, stream_id: str, *children: str) -> None:
        """The last record of the shard is the commit that begins this stream."""
        self._streams.setdefault(shard, []).append(stream_id)
        self._parents.update(dict.fromkeys(children, shard))

    def describe_stream(self, **_: Any) -> Any:
        closed = set(self._parents.values())
        described = [
            {
                "ShardId": name,
                "ParentShardId": parent,
                "SequenceNumberRange": {"EndingSequenceNumber": "9"} if name in closed else {},
            }
            for name, parent in reversed(self._parents.items())
        ]
        return {"StreamDescription": {"Shards": described}}

    def get_shard_iterator(
        self,
        ShardId: str,  # noqa: N803 - of AWS
        ShardIteratorType: str,  # noqa: N803 - of AWS
        SequenceNumber: str = "0",  # noqa: N803 - of AWS
        **_: Any,
    ) -> Any:
        is_latest = ShardIteratorType == "LATEST"
        after = len(self._streams.get(ShardId, ())) if is_latest else int(SequenceNumber)
        return {"ShardIterator": f"{ShardId} {after} {'x' * 300}"}

    def get_records(self, ShardIterator: str, **_given: Any) -> Any:  # noqa: N803 - of AWS
        self._asked += 1
        assert self._asked < 10_000
        name, after, _ = ShardIterator.split()
        records = [
            {
                "dynamodb": {
                    "SequenceNumber": str(number),
                    "NewImage": self._image(stream_id),
                    "ApproximateCreationDateTime": datetime.now(UTC),
                }
            }
            for number, stream_id in enumerate(self._streams.get(name, ()), 1)
            if number > int(after)
        ]
        is_closed = not records and name in self._parents.values()
        return {"Records": records, "NextShardIterator": None if is_closed else "x"}

    def close(self) -> None:
        pass

    def _image(self, stream_id: str) -> Any:
        (stored,) = StoredCommit.all_of(commit(append(Position.start(stream_id))))
        return table.commit_item(self._item, stored).serialize()


@pytest.mark.slow
def test_a_checkpoint_holds_no_shard_that_its_children_have_followed(
    follower: DynamoDBEventStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """20,000 closed shards in two lines, as after a day. Then each line goes on by three shards at
    once, and again."""
    lines = [[f"{line}-{number:05}" for number in range(10_000)] for line in "ab"]
    parents = {name: before for line in lines for before, name in pairwise(["gone", *line])}
    shards = Shards(follower.item, parents)
    monkeypatch.setattr(follower._feed, "_made", shards)
    checkpoint = follower.end()
    assert msgspec.json.decode(checkpoint)["shards"].keys() == {"a-09999", "b-09999"}
    seen: list[str] = []
    for names in (["09999", "1", "2", "3"], ["3", "4", "5", "6"]):
        for line in "ab":
            for before, name in pairwise(names):
                shards.split(f"{line}-{before}", f"{line}/{name}", f"{line}-{name}")
        commits, checkpoint = drain(follower, checkpoint)
        seen += [each.stream_id for each in commits]
        ends = {f"{line}-{names[-1]}" for line in "ab"}
        assert msgspec.json.decode(checkpoint)["shards"].keys() == ends
    for line in "ab":
        assert [each for each in seen if each[0] == line] == [f"{line}/{n}" for n in range(1, 7)]


def test_a_stream_that_was_switched_off_and_on_again_is_followed_after_a_sweep(
    follower: DynamoDBEventStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    shards = Shards(follower.item, {"a": "gone"})
    monkeypatch.setattr(follower._feed, "_made", shards)
    checkpoint = follower.end()
    follower.append(commit(append(Position.start("s/2"))))
    shards.split("a", "s/1", "b")  # for this client, a shard that is closed has a child
    again = {"LatestStreamArn": "another"}
    monkeypatch.setattr(follower.item, "describe_table", lambda: again)
    commits, checkpoint = drain(follower, checkpoint)
    assert [each.stream_id for each in commits] == ["s/1", "s/2"]
    assert msgspec.json.decode(checkpoint)["stream"] == "another"


def test_a_checkpoint_of_too_many_shards_fits_into_an_item_and_the_log_says_what_is_late(
    follower: DynamoDBEventStore, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Longer names than those of AWS: so fewer shards suffice."""
    names = {f"shardId-{number:020}-{'f' * 400}": "gone" for number in range(1_200)}
    shards = Shards(follower.item, dict(list(names.items())[:400]))
    monkeypatch.setattr(follower._feed, "_made", shards)
    assert len(follower.end()) < MAX_BYTES
    assert not [each for each in caplog.records if each.name == feed.__name__]
    shards._parents |= names
    checkpoint = follower.end()
    shards.split(list(names)[-1], "s/1")
    commits, checkpoint = drain(follower, checkpoint)
    follower.views.set_cell("checkpoint", checkpoint, None)
    assert follower.views.cell("checkpoint") == checkpoint
    assert [each.stream_id for each in commits] == ["s/1"]
    (line,) = [each.getMessage() for each in caplog.records if each.name == feed.__name__]
    assert re.match(r"the stream has 1200 shards side by side, .* room for \d{3}: .*SWEEP", line)


def test_a_checkpoint_of_another_table_starts_over(
    follower: DynamoDBEventStore, store: DynamoDBEventStore
) -> None:
    """As after a restore. What the other table's stream gives is of no concern here."""
    store.append(commit(append(Position.start("s/1"))))
    _, checkpoint = drain(store)
    follower.restore(list(store.dump()))
    store.append(commit(append(Position.start("s/elsewhere"))))
    follower.append(commit(append(Position.start("s/2"))))
    page = follower.feed(checkpoint)
    assert {each.stream_id for each in page.commits} == {"s/1", "s/2"}
    follower.append(commit(append(Position.start("s/3"))))
    assert [each.stream_id for each in drain(follower, page.checkpoint)[0]][-1] == "s/3"


@pytest.mark.slow
@pytest.mark.parametrize("disturbed", ["shuffled", "doubled", "missing"])
def test_a_read_model_is_right_whatever_the_stream_gives(
    follower: DynamoDBEventStore, monkeypatch: pytest.MonkeyPatch, disturbed: str
) -> None:
    bus = make_bus(
        Settings(store="memory"),
        store=follower,
        dependencies={FileStore: MemoryFileStore()},
    )
    subscription = bus.subscriptions["parcels"]
    subscription.advance()

    def change(answered: Any) -> Any:
        records = answered["Records"]
        changed = {
            "shuffled": records[::-1],
            "doubled": records * 2,
            "missing": records[-1:],
        }[disturbed]
        return {**answered, "Records": changed}

    answer(monkeypatch, follower, "get_records", change)
    bus.handle(commands.CreateParcel(parcel_id="a", data={}))
    for _ in range(5):
        subscription.advance()
    if disturbed == "missing":  # the last record is of no commit: the sweep finds them
        follower._feed._sweep = 0.0
        subscription.advance()
    (row,) = follower.views.rows(f"{subscription.subscriber.name}.1", ["a"]).values()
    assert (row.version, row.label) == (3, "archived")
