"""The Lambda handler, given what API Gateway was recorded to send, and what it never sends."""

import asyncio
import base64
import copy
import importlib
import io
import json
import os
import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from {{ cookiecutter.__package }}.bus import (
    CommitTooLarge,
    ConcurrencyError,
    DomainError,
    StoreUnavailable,
)
from {{ cookiecutter.__package }}.observability import log
from {{ cookiecutter.__package }}.service.ports import Unavailable

from ...support.fakes import FakeClock
from ..parcel import commands, queries
from ..support.logged import Lines, lines, logging_to
from ..support.process import run

__all__ = ["lines"]

EVENTS = Path(__file__).parent / "events"
PACKAGE = "{{ cookiecutter.__package }}.entrypoints.aws"
ID = "parcel_id"
CREATE = "CreateParcel"
PATH = "/parcels"
PROBLEM = "application/problem+json"
XRAY = "Root=1-68f0a1b2-0123456789abcdef01234567;Parent=53995c3f42cd8ad8;Sampled=1"
TRACE = "00-68f0a1b20123456789abcdef01234567-53995c3f42cd8ad8-01"
OTHER_TRACE = "00-11111111111111111111111111111111-2222222222222222-00"

Handler = Callable[..., dict[str, Any]]

processors: list[Any] = []
"""The processors of the log that the functions have added."""


def recorded(name: str) -> dict[str, Any]:
    event: dict[str, Any] = json.loads((EVENTS / f"{name}.json").read_text())
    return event


@pytest.fixture
def runtime(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Any]:
    """What the functions share, as one that starts makes it: on an empty store."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("STORE", "memory")
    monkeypatch.delenv("WORKER", raising=False)
    monkeypatch.delenv("_X_AMZN_TRACE_ID", raising=False)
    processors.clear()
    monkeypatch.setattr(log, "configure", lambda _, *more: processors.extend(more))
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    for name in ("runtime", "http", "queue"):
        sys.modules.pop(f"{PACKAGE}.{name}", None)
    yield importlib.import_module(f"{PACKAGE}.runtime")
    asyncio.set_event_loop(None)
    loop.close()


@pytest.fixture
def handle(runtime: Any) -> Handler:
    """What Lambda does with an event: whatever comes out must be JSON."""
    module = importlib.import_module(f"{PACKAGE}.http")
    assert module.bus is runtime.bus

    def handle(event: Any, context: Any = None) -> dict[str, Any]:
        answer: dict[str, Any] = module.handler(copy.deepcopy(event), context)
        assert json.loads(json.dumps(answer)) == answer
        return answer

    return handle


def command(name: str = CREATE, /, **body: Any) -> dict[str, Any]:
    return {"command": name, "body": body}


def contexts(runtime: Any) -> list[Any]:
    """The context of every commit, in order."""
    return [commit.context for commit in runtime.bus.store.feed().commits]


def assert_problem(answer: dict[str, Any], status: int) -> None:
    assert answer["statusCode"] == status
    assert answer["headers"]["content-type"] == PROBLEM
    assert not answer["isBase64Encoded"], "a problem is text, and can be read as it is"
    assert json.loads(answer["body"])["status"] == status
    assert "hunter2" not in answer["body"]


def test_a_recorded_request_creates_and_another_reads(handle: Handler) -> None:
    created = handle(recorded("create"))
    read = handle(recorded("read"))

    assert created["statusCode"] == 201
    assert created["headers"]["location"] == f"{PATH}/recorded-1"
    assert created["headers"]["x-correlation-id"] == "trace-7"
    assert json.loads(created["body"]) == {ID: "recorded-1", "status": "created", "version": 1}
    assert read["statusCode"] == 200
    state = json.loads(read["body"])
    assert (state["status"], state["version"]) == ("archived", 3)
    assert state["data"] == {"text": "ä"}


def test_a_body_in_base64_is_read(handle: Handler) -> None:
    created = handle(recorded("create_base64"))

    assert created["statusCode"] == 201
    read = recorded("read")
    read["requestContext"]["http"]["path"] = created["headers"]["location"]
    assert json.loads(handle(read)["body"])["data"] == {"text": "ä"}


def test_what_is_not_there_is_a_problem(handle: Handler) -> None:
    assert_problem(handle(recorded("not_found")), 404)


@pytest.mark.parametrize("has_length", [True, False])
@pytest.mark.parametrize("is_base64", [True, False])
def test_a_huge_body_is_refused(handle: Handler, has_length: bool, is_base64: bool) -> None:
    event = recorded("create")
    body = b'{"data": {"text": "%s"}}' % (b"x" * 256 * 1024)
    event["body"] = (base64.b64encode(body) if is_base64 else body).decode()
    event["isBase64Encoded"] = is_base64
    if has_length:
        event["headers"]["content-length"] = str(len(body))

    assert_problem(handle(event), 413)


def test_a_direct_invocation_is_answered_with_what_was_recorded(handle: Handler) -> None:
    answer = handle({**command(**{ID: "direct-1", "data": {"x": 1}}), "correlation_id": "trace-7"})

    assert answer["statusCode"] == 201
    assert answer["headers"]["content-type"] == "application/json"
    taken = json.loads(answer["body"])
    (created,) = taken["events"]
    assert taken["replayed"] is False
    assert (created["type"], created["data"]) == (
        "ParcelCreated",
        {ID: "direct-1", "data": {"x": 1}},
    )
    assert (created["correlation_id"], created["actor"]) == ("trace-7", "anonymous")


def test_a_direct_invocation_under_a_key_has_one_effect_and_one_answer(handle: Handler) -> None:
    event = {**command(**{ID: "a", "data": {}}), "idempotency_key": "k"}
    first, again = (json.loads(handle(event)["body"]) for _ in "ab")
    assert again == {**first, "replayed": True}
    event["body"]["data"] = {"other": 1}
    assert_problem(handle(event), 422)


def test_a_direct_invocation_has_the_statuses_of_http(
    handle: Handler, runtime: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unavailable(*_arguments: Any) -> None:
        raise StoreUnavailable("hunter2")

    def broken(*_arguments: Any) -> None:
        raise RuntimeError("hunter2")

    event = command(**{ID: "a", "data": {}})
    assert handle(event)["statusCode"] == 201
    assert_problem(handle(event), 409)
    assert_problem(handle(command(**{ID: "b", "data": {"x": "x" * 256 * 1024}})), 413)
    assert_problem(handle(command("ProcessParcel", **{ID: "a"})), 422)
    for failure, status in ((unavailable, 503), (broken, 500)):
        monkeypatch.setattr(runtime.bus.store, "append", failure)
        answer = handle(command(**{ID: "b", "data": {}}))
        assert answer["statusCode"] == status
        assert ("retry-after" in answer["headers"]) == (status == 503)


def test_who_invokes_is_who_lambda_says(handle: Handler, runtime: Any) -> None:
    for number, identity in enumerate((None, SimpleNamespace(cognito_identity_id=None))):
        context = SimpleNamespace(aws_request_id="r", identity=identity)
        handle(command(**{ID: f"a{number}", "data": {}}), context)
    assert {each.actor for each in contexts(runtime)} == {"anonymous"}
    identity = SimpleNamespace(cognito_identity_id="eu-central-1:anna")
    handle(command(**{ID: "c", "data": {}}), SimpleNamespace(identity=identity))
    assert contexts(runtime)[-1].actor == "eu-central-1:anna"


@pytest.mark.parametrize(
    ("xray", "expected"),
    [
        (XRAY, TRACE),
        (XRAY.replace("Sampled=1", "Sampled=0"), f"{TRACE[:-2]}00"),
        (XRAY.replace(";Sampled=1", ""), f"{TRACE[:-2]}00"),
        (XRAY.replace(";", "; "), TRACE),
        ("Root=1-68f0a1b2-0123456789abcdef01234567", None),
        ("Root=hunter2;Parent=hunter2", None),
        ("hunter2", None),
        ("", None),
    ],
)
def test_what_happens_is_part_of_the_trace_of_the_invocation(
    handle: Handler,
    runtime: Any,
    monkeypatch: pytest.MonkeyPatch,
    xray: str,
    expected: str | None,
) -> None:
    monkeypatch.setenv("_X_AMZN_TRACE_ID", xray)
    assert handle(recorded("create"))["statusCode"] == 201
    assert handle(command(**{ID: "a", "data": {}}))["statusCode"] == 201
    assert {each.traceparent for each in contexts(runtime)} == {expected}


def test_or_of_the_trace_that_it_brings_along(
    handle: Handler, runtime: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("_X_AMZN_TRACE_ID", XRAY)
    event = recorded("create")
    event["headers"]["traceparent"] = OTHER_TRACE
    handle(event)
    handle({**command(**{ID: "a", "data": {}}), "traceparent": OTHER_TRACE})
    assert {each.traceparent for each in contexts(runtime)} == {OTHER_TRACE}


def nested(levels: int) -> Any:
    inner: Any = []
    for _ in range(levels):
        inner = [inner]
    return inner


@pytest.mark.parametrize(
    "event",
    [
        *(None, [], "hunter2", 5, True, {}, {"command": CREATE}, {"body": {}}, command("hunter2")),
        {**command(**{ID: "a", "data": {}}), "hunter2": 1},
        command(**{ID: "a", "data": {}, "hunter2": 1}),
        command(**{ID: "hunter2 ", "data": {}}),
        command(**{ID: "a", "data": None}),
        command(**{ID: "a", "data": {"hunter2": float("nan")}}),
        command(**{ID: "a", "data": {"hunter2": float("inf")}}),
        command(**{ID: "a", "data": {"hunter2": "\ud800"}}),
        command(**{ID: "a", "data": {"hunter2": 10**5000}}),
        command(**{ID: "a", "data": {"hunter2": nested(64)}}),
        {**command(**{ID: "a", "data": {}}), "idempotency_key": "hunter2 "},
        {"version": "2.0", "data": {}},
        {"requestContext": {}, "data": {}},
        {"version": "2.0", "requestContext": None},
        {"version": "2.0", "requestContext": {"http": {"method": "POST"}}},
        {**recorded("create"), "headers": None},
        {**recorded("create"), "headers": {"host": "hunter2:x:y"}},
        {**recorded("create"), "headers": {"host": None}},
        {**recorded("create"), "body": {"hunter2": 1}},
        {**recorded("create"), "body": "hunter2", "isBase64Encoded": True},
        {**recorded("create"), "body": None},
        {**recorded("create"), "version": "1.0"},
    ],
    ids=lambda event: repr(event)[:40] if not isinstance(event, dict) else "+".join(event)[:60],
)
def test_what_is_no_request_is_refused_and_never_an_exception(handle: Handler, event: Any) -> None:
    assert_problem(handle(event), 422)


@pytest.mark.usefixtures("handle")
def test_what_is_nested_too_deep_to_be_read_is_refused() -> None:
    module = importlib.import_module(f"{PACKAGE}.http")
    event = command(**{ID: "a", "data": {"hunter2": nested(100_000)}})
    assert_problem(module.handler(event, None), 422)


def test_an_invocation_that_is_refused_is_answered_as_a_request_is(
    handle: Handler, runtime: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    class TooMany(DomainError):
        kind = "limited"
        retry_after = 9

    def refuse(*_arguments: Any, **_options: Any) -> None:
        raise TooMany("at most ten an hour")

    monkeypatch.setattr(runtime.bus, "handle", refuse)
    for event in (recorded("create"), command(**{ID: "a", "data": {}})):
        answer = handle(event)
        assert_problem(answer, 429)
        assert answer["headers"]["retry-after"] == "9"


def test_a_warm_up_asks_whether_the_store_is_there(handle: Handler) -> None:
    answer = handle({"warm-up": True})
    assert (answer["statusCode"], json.loads(answer["body"])) == (200, {"status": "ready"})


CALLERS: list[Any] = [
    None,
    {"jwt": {"claims": {"iss": "https://issuer", "sub": "anna"}, "scopes": None}},
    {"jwt": {"claims": {"iss": "https://issuer", "sub": "bert"}, "scopes": None}},
    {"iam": {"userArn": "arn:aws:iam::123456789012:user/carl"}},
]


@pytest.mark.parametrize("authorizer", CALLERS)
def test_the_history_shows_who_it_was(handle: Handler, authorizer: Any) -> None:
    event = recorded("create")
    if authorizer:
        event["requestContext"]["authorizer"] = authorizer
    assert handle(event)["statusCode"] == 201
    read = recorded("read")
    path = f"{PATH}/recorded-1/history"
    read["rawPath"] = read["requestContext"]["http"]["path"] = path
    history = json.loads(handle(read)["body"])["events"]
    match authorizer:
        case {"jwt": {"claims": claims}}:
            actor = f"https://issuer {claims['sub']}"
        case {"iam": iam}:
            actor = iam["userArn"]
        case _:
            actor = "anonymous"
    assert [each["actor"] for each in history] == [actor] * 3


def test_an_idempotency_key_is_its_callers_own(handle: Handler) -> None:
    created = []
    for authorizer in [*CALLERS, *CALLERS]:
        event = recorded("create")
        event["body"] = json.dumps({"data": {}})
        event["headers"]["idempotency-key"] = "k"
        if authorizer:
            event["requestContext"]["authorizer"] = authorizer
        created.append(json.loads(handle(event)["body"])[ID])
    assert created[:4] == created[4:]
    assert len(set(created)) == 4


# The queue

QUEUE = "arn:aws:sqs:eu-central-1:123456789012:commands"


def message(number: int, body: Any, **attributes: str) -> dict[str, Any]:
    text = json.dumps(body) if isinstance(body, dict) else body
    return {
        "messageId": f"m{number}",
        "body": text,
        "eventSourceARN": QUEUE,
        "attributes": attributes,
    }


@pytest.fixture
def deliver(runtime: Any) -> Callable[..., list[str]]:
    """Gives messages to the function, and returns the ids of those that are to come again."""
    module = importlib.import_module(f"{PACKAGE}.queue")
    assert module.bus is runtime.bus

    def deliver(*messages: Any) -> list[str]:
        answer = module.queue_handler({"Records": list(messages)}, None)
        assert json.loads(json.dumps(answer)) == answer
        return [each["itemIdentifier"] for each in answer["batchItemFailures"]]

    return deliver


Deliver = Callable[..., list[str]]
POISON: list[Any] = [
    *(None, 5, "", "hunter2", "\ud800", "[]", "null"),
    '{"data": {}}',
    '{"command": "hunter2", "body": {}}',
    command(**{ID: "a", "data": {"hunter2": float("nan")}}),
    command(**{ID: "a", "data": {}, "hunter2": 1}),
    command(**{ID: "a b", "data": {}}),
    command(**{ID: "a", "data": {"x": "x" * 256 * 1024}}),
    {**command(**{ID: "a", "data": {}}), "hunter2": 1},
    {**command(**{ID: "a", "data": {}}), "idempotency_key": "hunter2 "},
]


@pytest.mark.parametrize("poison", POISON, ids=lambda poison: repr(poison)[:60])
def test_a_message_that_cannot_be_taken_is_reported_and_the_others_take_effect_once(
    lines: Lines, deliver: Deliver, runtime: Any, poison: Any
) -> None:
    good = [message(number, command(**{ID: f"q{number}", "data": {}})) for number in range(3)]
    batch = [*good[:2], message(9, poison), good[2]]
    assert deliver(*batch) == ["m9"]
    (line,) = [each for each in lines() if each.get("queue_message_id") == "m9"]
    assert line["event"] == "message refused"
    assert line["reason"]
    assert "hunter2" not in str(line)
    assert deliver(*batch) == ["m9"], "delivered again"
    listed = runtime.bus.store.feed().commits
    assert sorted({commit.stream_id.partition("/")[2] for commit in listed}) == ["q0", "q1", "q2"]
    assert len(listed) == 3 * 3


def test_a_message_that_the_business_refuses_or_that_fails_is_reported_with_one_line(
    lines: Lines, deliver: Deliver, runtime: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_arguments: Any) -> None:
        raise StoreUnavailable("the store")

    taken = command(**{ID: "a", "data": {"secret": "hunter2"}})
    assert deliver(message(1, taken), message(2, taken)) == ["m2"]
    monkeypatch.setattr(runtime.bus.store, "append", fail)
    other = command(**{ID: "b", "data": {"secret": "hunter2"}})
    assert deliver(message(3, other)) == ["m3"]
    of_message = [
        [each["error"] for each in lines() if each.get("queue_message_id") == name]
        for name in ("m2", "m3")
    ]
    assert of_message == [["AggregateExists"], ["StoreUnavailable"]]
    assert "hunter2" not in str(lines())


def test_a_message_has_one_effect_as_long_as_the_queue_may_deliver_it(
    deliver: Deliver, runtime: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, store = FakeClock(), runtime.bus.store
    monkeypatch.setattr(runtime.bus, "clock", clock)
    assert deliver(message(1, command(**{ID: "a", "data": {}}))) == []
    scope = f"queue {CREATE} {QUEUE}"
    for days, is_kept in ((14, True), (0.9, True), (0.1, False)):
        clock.move(days=days)
        assert (store.handled(scope, "m1", clock.now()) is not None) == is_kept


def test_a_message_has_the_context_of_its_queue(deliver: Deliver, runtime: Any) -> None:
    sent = {**command(**{ID: "a", "data": {}}), "correlation_id": "trace-7"}
    assert deliver(message(1, sent, AWSTraceHeader=XRAY)) == []
    assert {(each.actor, each.correlation_id, each.traceparent) for each in contexts(runtime)} == {
        (QUEUE, "trace-7", TRACE)
    }


def test_a_message_that_is_sent_twice_under_one_key_has_one_effect(
    deliver: Deliver, runtime: Any
) -> None:
    sent = {**command(**{ID: "a", "data": {}}), "idempotency_key": "k"}
    assert deliver(message(1, sent), message(2, sent)) == []
    assert len(contexts(runtime)) == 3


@pytest.mark.parametrize("event", [None, [], "x", {}, {"Records": None}, {"Records": 5}])
def test_what_is_no_batch_is_no_exception(runtime: Any, event: Any) -> None:
    module = importlib.import_module(f"{PACKAGE}.queue")
    assert module.queue_handler(event, None) == {"batchItemFailures": []}


@pytest.mark.parametrize(
    "record",
    [None, 5, {}, {"messageId": 5}, {"messageId": "m1"}, {"body": "{}"}, {"attributes": 5}],
)
def test_what_is_no_message_is_reported(deliver: Deliver, record: Any) -> None:
    assert len(deliver(record)) == 1


def test_a_message_of_no_named_queue_is_of_nobody(deliver: Deliver, runtime: Any) -> None:
    body = json.dumps(command(**{ID: "a", "data": {}}))
    assert deliver({"messageId": "m1", "body": body, "attributes": 5}) == []
    assert {each.actor for each in contexts(runtime)} == {"anonymous"}


def test_copies_of_a_snapshot_draw_random_numbers_of_their_own(
    monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    hooks: list[Callable[[], None]] = []
    library = SimpleNamespace(register_after_restore=hooks.append)
    monkeypatch.setitem(sys.modules, "snapshot_restore_py", library)
    snapshot = random.getstate()
    request.getfixturevalue("handle")
    assert random.getstate() == snapshot, "what was drawn before is the same in every copy"

    def restored() -> float:
        random.setstate(snapshot)
        for hook in hooks:
            hook()
        return random.random()

    assert restored() != restored()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["queue", "worker"])
def test_what_serves_no_http_loads_nothing_for_it(tmp_path: Path, name: str) -> None:
    code = f"import {PACKAGE}.{name}, sys; sys.exit('fastapi' in sys.modules)"
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(map(os.path.abspath, sys.path)),
        "STORE": "memory",
    }
    ended = subprocess.run([sys.executable, "-c", code], env=environment, cwd=tmp_path, check=False)
    assert ended.returncode == 0


def test_a_bug_is_a_problem_without_details(
    handle: Handler, runtime: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_arguments: Any, **_options: Any) -> None:
        raise RuntimeError("hunter2")

    monkeypatch.setattr(runtime.bus, "ask", fail)

    assert_problem(handle(recorded("read")), 500)


@pytest.mark.slow
@pytest.mark.parametrize("function", ["http", "queue", "worker"])
@pytest.mark.parametrize("store", ["", "sqlite", "memory"])
def test_on_lambda_a_store_that_would_not_last_is_refused_in_one_line(
    tmp_path: Path, store: str, function: str
) -> None:
    module = f"{PACKAGE}.{function}"
    ended = run(tmp_path, module=module, AWS_LAMBDA_FUNCTION_NAME="create", STORE=store)

    assert ended.returncode == 1
    refused = f"STORE={store or 'sqlite'} would lose data on Lambda: set STORE={{ cookiecutter.store }}"
    assert ended.stderr.splitlines()[-1].endswith(f"ConfigurationError: {refused}")
    assert not list(tmp_path.iterdir())


def test_no_page_of_a_long_history_is_larger_than_lambda_allows(
    handle: Handler, monkeypatch: pytest.MonkeyPatch
) -> None:
    bus = importlib.import_module(f"{PACKAGE}.runtime").bus
    bus.handle(commands.CreateParcel(parcel_id="a", data={"text": '"' * 100_000}))
    asked = bus.registry.queries[queries.GetParcelHistory]
    first = bus.ask(queries.GetParcelHistory(parcel_id="a"))[0]
    events = [msgspec.structs.replace(first, version=number) for number in range(1, 41)]
    monkeypatch.setattr(asked, "handle", lambda *_: events)
    read, after = recorded("read"), 0
    read["rawPath"] = read["requestContext"]["http"]["path"] = f"{PATH}/a/history"
    seen: list[int] = []
    while after is not None:
        answer = handle(read | {"rawQueryString": f"after={after}"})
        assert len(json.dumps(answer)) < 6 * 1024 * 1024
        page = json.loads(answer["body"])
        seen += [each["version"] for each in page["events"]]
        after = page["next"]
    assert seen == list(range(1, 41)), "which are 8 MB in JSON"


# Failures, as CloudWatch counts them


def counted(_runtime: Any, error: Exception, level: str = "") -> dict[str, Any]:
    """The line of this error, as a function logs it."""
    (count,) = processors
    with (
        logging_to(io.StringIO(), count) as written,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setenv("AWS_LAMBDA_FUNCTION_NAME", "shop-api")
        if level:
            getattr(log.logger, level)("something", reason=str(error))
        else:
            log.log_error(error)
    line: dict[str, Any] = json.loads(written.getvalue())
    return line


@pytest.mark.parametrize("error", [KeyError("planted"), StoreUnavailable("x"), Unavailable("x")])
def test_the_line_of_a_failure_is_its_metric(runtime: Any, error: Exception) -> None:
    line = counted(runtime, error)
    (metric,) = line["_aws"]["CloudWatchMetrics"]
    assert metric["Metrics"] == [{"Name": "Failed", "Unit": "Count"}]
    assert metric["Dimensions"] == [["FunctionName"]]
    assert (line["Failed"], line["FunctionName"]) == (1, "shop-api")


@pytest.mark.parametrize("refusal", [DomainError("no"), ConcurrencyError("x"), CommitTooLarge("x")])
def test_a_refusal_is_no_failure(runtime: Any, refusal: Exception) -> None:
    assert "_aws" not in counted(runtime, refusal)


def test_a_line_has_a_level_that_lambda_knows(runtime: Any) -> None:
    assert counted(runtime, KeyError("x"), "warning")["level"] == "warn"
    assert counted(runtime, KeyError("x"), "error")["level"] == "error"
