"""The Lambda handler, given what API Gateway was recorded to send, and what it never sends."""

import asyncio
import base64
import copy
import importlib
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from {{ cookiecutter.__package }}.observability import log

from ..support.process import run

EVENTS = Path(__file__).parent / "events"
PACKAGE = "{{ cookiecutter.__package }}.entrypoints"
MODULE = f"{PACKAGE}.aws_lambda"
ID = "{{ cookiecutter.__aggregate_snake }}_id"
PATH = "/{{ cookiecutter.aggregate_plural }}"
PROBLEM = "application/problem+json"

Handler = Callable[[Any], dict[str, Any]]


def recorded(name: str) -> dict[str, Any]:
    event: dict[str, Any] = json.loads((EVENTS / f"{name}.json").read_text())
    return event


@pytest.fixture
def module(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[ModuleType]:
    """The module, as a function that starts imports it: on an empty store."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("STORE", "memory")
    monkeypatch.delenv("WORKER", raising=False)
    monkeypatch.setattr(log, "configure", lambda _settings: None)  # of the whole process
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    for name in ("aws_lambda", "aws_http", "aws_runtime"):
        sys.modules.pop(f"{PACKAGE}.{name}", None)
    yield importlib.import_module(MODULE)
    asyncio.set_event_loop(None)
    loop.close()


@pytest.fixture
def handle(module: ModuleType) -> Handler:
    """What Lambda does with an event: whatever comes out must be JSON."""

    def handle(event: Any) -> dict[str, Any]:
        answer: dict[str, Any] = module.handler(copy.deepcopy(event), None)
        assert json.loads(json.dumps(answer)) == answer
        return answer

    return handle


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


def test_a_direct_invocation_is_answered_like_a_post(handle: Handler) -> None:
    answer = handle({ID: "direct-1", "data": {"x": 1}})

    assert answer["statusCode"] == 201
    assert answer["headers"]["location"] == f"{PATH}/direct-1"
    assert json.loads(answer["body"]) == {ID: "direct-1", "status": "created", "version": 1}
    assert_problem(handle({ID: "direct-1", "data": {}}), 409)


def nested(levels: int) -> Any:
    inner: Any = []
    for _ in range(levels):
        inner = [inner]
    return inner


@pytest.mark.parametrize(
    "event",
    [
        *(None, [], "hunter2", 5, True, {}, {"data": None}, {"data": {}, "hunter2": 1}),
        {"data": {"hunter2": float("nan")}},
        {"data": {"hunter2": float("inf")}},
        {"data": {"hunter2": "\ud800"}},
        {"data": {"hunter2": 10**5000}},
        {"data": {"hunter2": nested(100)}},
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


def test_a_warm_up_asks_whether_the_store_is_there(handle: Handler) -> None:
    answer = handle({"warm-up": True})
    assert (answer["statusCode"], json.loads(answer["body"])) == (200, {"status": "ready"})


CALLERS: list[Any] = [
    None,
    {"jwt": {"claims": {"iss": "https://issuer", "sub": "anna"}, "scopes": None}},
    {"jwt": {"claims": {"iss": "https://issuer", "sub": "bert"}, "scopes": None}},
    {"iam": {"userArn": "arn:aws:iam::123456789012:user/carl"}},
]


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


def message(number: int, body: Any) -> dict[str, Any]:
    source = "arn:aws:sqs:eu-central-1:123456789012:commands"
    return {"messageId": f"m{number}", "body": body, "eventSourceARN": source}


def deliver(module: ModuleType, *messages: Any) -> list[str]:
    answer = module.queue_handler({"Records": list(messages)}, None)
    return [each["itemIdentifier"] for each in answer["batchItemFailures"]]


POISON = [None, 5, "", "hunter2", "[]", "null", '{"data": NaN}', '{"data": {}, "more": 1}']


@pytest.mark.parametrize("poison", POISON)
def test_a_message_that_cannot_be_taken_is_reported_and_the_others_take_effect_once(
    module: ModuleType, handle: Handler, poison: Any
) -> None:
    good = [message(number, json.dumps({ID: f"q{number}", "data": {}})) for number in range(3)]
    batch = [*good[:2], message(9, poison), good[2]]
    assert deliver(module, *batch) == ["m9"]
    assert deliver(module, *batch) == ["m9"], "delivered again"
    listed = importlib.import_module(f"{PACKAGE}.aws_runtime").bus.store.feed().commits
    assert sorted({commit.stream_id.partition("/")[2] for commit in listed}) == ["q0", "q1", "q2"]
    assert len(listed) == 3 * 3


@pytest.mark.parametrize("event", [None, [], "x", {}, {"Records": None}, {"Records": 5}])
def test_what_is_no_batch_is_no_exception(module: ModuleType, event: Any) -> None:
    assert module.queue_handler(event, None) == {"batchItemFailures": []}


@pytest.mark.parametrize("record", [None, 5, {}, {"messageId": 5}])
def test_what_is_no_message_is_reported(module: ModuleType, record: Any) -> None:
    assert len(deliver(module, record)) == 1


def test_there_is_no_other_function(module: ModuleType) -> None:
    with pytest.raises(AttributeError, match="no attribute 'other_handler'"):
        module.other_handler  # noqa: B018 - the point


def test_a_bug_is_a_problem_without_details(
    handle: Handler, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_arguments: Any, **_options: Any) -> None:
        raise RuntimeError("hunter2")

    bus = importlib.import_module(f"{PACKAGE}.aws_runtime").bus
    monkeypatch.setattr(bus, "ask", fail)

    assert_problem(handle(recorded("read")), 500)


@pytest.mark.parametrize("store", ["", "sqlite", "memory"])
def test_on_lambda_a_store_that_would_not_last_is_refused_in_one_line(
    tmp_path: Path, store: str
) -> None:
    ended = run(tmp_path, module=MODULE, AWS_LAMBDA_FUNCTION_NAME="create", STORE=store)

    assert ended.returncode == 1
    refused = f"STORE={store or 'sqlite'} would lose data on Lambda: set STORE={{ cookiecutter.store }}"
    assert ended.stderr.splitlines()[-1].endswith(f"ConfigurationError: {refused}")
    assert not list(tmp_path.iterdir())
