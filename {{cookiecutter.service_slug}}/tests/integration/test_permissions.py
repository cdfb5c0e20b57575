"""Each Lambda function may do exactly what it does: its role in template.yaml and its calls."""

import json
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from botocore.client import BaseClient

from {{ cookiecutter.__package }}.bus import DomainError, UnitOfWork
from {{ cookiecutter.__package }}.domain.{{ cookiecutter.__aggregate_snake }} import aggregate
from {{ cookiecutter.__package }}.service.{{ cookiecutter.__aggregate_snake }} import (
    command_handlers,
)

from ..support.lambda_functions import KILLED, Functions, create, lambda_functions, stream

TEMPLATE = Path(__file__).parents[2] / "template.yaml"
PATH = "/{{ cookiecutter.aggregate_plural }}"
ID = "{{ cookiecutter.__aggregate_snake }}_id"
CREATE = "Create{{ cookiecutter.__aggregate }}"

Calls = set[tuple[str, str]]

COMMANDS: Calls = {
    ("dynamodb:ConditionCheckItem", "Table"),
    ("dynamodb:DeleteItem", "Table"),
    ("dynamodb:PutItem", "Table"),
    ("dynamodb:Query", "Table"),
    ("dynamodb:UpdateItem", "Table"),
    ("s3:PutObject", "Files"),
}
"""What running commands, and what follows from them, needs."""
LOOK: Calls = {("dynamodb:GetItem", "Table")}
DUE: Calls = {("dynamodb:Query", "Table/index/due")}
PROJECT: Calls = LOOK | {("dynamodb:BatchGetItem", "Table")}
FOLLOW: Calls = {
    ("dynamodb:DescribeTable", "Table"),
    ("dynamodb:Scan", "Table"),
    ("dynamodb:DescribeStream", "Table/stream"),
    ("dynamodb:GetRecords", "Table/stream"),
    ("dynamodb:GetShardIterator", "Table/stream"),
}
"""What following the feed needs."""


@pytest.fixture
def functions(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Functions]:
    with lambda_functions(monkeypatch, tmp_path, bucket="archive") as functions:
        yield functions


@pytest.fixture
def calls(functions: Functions, monkeypatch: pytest.MonkeyPatch) -> Calls:
    """Every call to AWS from here on, as the permission it needs and what on."""
    made: Calls = set()
    call = BaseClient._make_api_call

    def recorded(client: Any, operation: str, parameters: Any) -> Any:
        made.update(permissions(client.meta.service_model.service_name, operation, parameters))
        return call(client, operation, parameters)

    monkeypatch.setattr(BaseClient, "_make_api_call", recorded)
    return made


def permissions(service: str, operation: str, parameters: Any) -> Calls:
    if service == "s3":
        return {(f"s3:{operation}", "Files")}
    if service == "dynamodbstreams":
        return {(f"dynamodb:{operation}", "Table/stream")}
    if operation == "TransactWriteItems":
        parts = {"Put": "PutItem", "Delete": "DeleteItem", "ConditionCheck": "ConditionCheckItem"}
        names = {name for item in parameters["TransactItems"] for name in item}
        return {(f"dynamodb:{parts[name]}", "Table") for name in names}
    index = parameters.get("IndexName")
    return {(f"dynamodb:{operation}", f"Table/index/{index}" if index else "Table")}


def resources() -> dict[str, Any]:
    """What template.yaml deploys, references as their text."""
    loader: Any = type("Loader", (yaml.SafeLoader,), {})
    loader.add_multi_constructor("!", lambda _loader, _tag, node: node.value)
    deployed: dict[str, Any] = yaml.load(TEMPLATE.read_text(), Loader=loader)["Resources"]
    return deployed


def granted(function: str) -> Calls:
    """What the role of this function may do with the table and the files."""
    (policy,) = resources()[f"{function}Role"]["Properties"]["Policies"]
    grants: Calls = set()
    for statement in policy["PolicyDocument"]["Statement"]:
        on = statement["Resource"].removeprefix("${").replace(".Arn", "").replace("}", "")
        if on.startswith(("Table", "Files")) and on != "Table.StreamArn":
            grants |= {(action, on.removesuffix("/*")) for action in statement["Action"]}
    return grants


def everything(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let processing look at another one, too; and let archiving be refused where it says so."""
    process = command_handlers.Process{{ cookiecutter.__aggregate }}Handler.handle
    archive = command_handlers.Archive{{ cookiecutter.__aggregate }}Handler.handle

    def processed(handler: Any, command: Any, uow: UnitOfWork) -> None:
        uow.get(aggregate.{{ cookiecutter.__aggregate }}, "other")
        process(handler, command, uow)

    def archived(handler: Any, command: Any, uow: UnitOfWork) -> None:
        if "refused" in getattr(command, ID):
            raise DomainError("refused")
        archive(handler, command, uow)

    for name, handle in (("Process", processed), ("Archive", archived)):
        kind = getattr(command_handlers, f"{name}{{ cookiecutter.__aggregate }}Handler")
        monkeypatch.setattr(kind, "handle", handle)


def request(method: str, path: str, body: Any = None, **headers: str) -> dict[str, Any]:
    return {
        "version": "2.0",
        "rawPath": path,
        "rawQueryString": "",
        "headers": {"content-type": "application/json", **headers},
        "requestContext": {"http": {"method": method, "path": path, "sourceIp": "127.0.0.1"}},
        "body": json.dumps(body),
        "isBase64Encoded": False,
    }


def test_the_api(functions: Functions, calls: Calls, monkeypatch: pytest.MonkeyPatch) -> None:
    create(functions.bus, "other", dispatch=KILLED)
    everything(monkeypatch)
    calls.clear()
    statuses = [
        functions.handler(event, None)["statusCode"]
        for event in (
            request("POST", PATH, {"data": {}, ID: "a"}),
            request("POST", PATH, {"data": {}, ID: "a"}),
            request("POST", PATH, {"data": {}, ID: "refused"}, **{"idempotency-key": "k"}),
            request("POST", PATH, {"data": {}, ID: "refused"}, **{"idempotency-key": "k"}),
            request("GET", f"{PATH}/a"),
            request("GET", f"{PATH}/a/history"),
            request("GET", PATH),
            request("GET", "/ready"),
        )
    ]
    assert statuses == [201, 409, 201, 201, 200, 200, 200, 200]
    assert calls == granted("Api") == COMMANDS | LOOK | {("dynamodb:Query", "Table/index/listed")}


def test_the_queue(functions: Functions, calls: Calls, monkeypatch: pytest.MonkeyPatch) -> None:
    create(functions.bus, "other", dispatch=KILLED)
    everything(monkeypatch)
    calls.clear()
    for name in ("a", "refused"):
        message = {"command": CREATE, "body": {ID: name, "data": {}}}
        record = {
            "messageId": str(uuid.uuid4()),
            "body": json.dumps(message),
            "eventSourceARN": "arn",
        }
        assert functions.queue_handler({"Records": [record]}, None) == {"batchItemFailures": []}
    assert calls == granted("Queue") == COMMANDS | LOOK


def test_the_worker(functions: Functions, calls: Calls, monkeypatch: pytest.MonkeyPatch) -> None:
    create(functions.bus, "other", "a", "refused", dispatch=KILLED)
    everything(monkeypatch)
    calls.clear()
    assert functions.worker_handler(None, None)["attempted"] >= 3
    assert calls == granted("Worker") == COMMANDS | DUE | PROJECT | FOLLOW


def test_the_stream(functions: Functions, calls: Calls, monkeypatch: pytest.MonkeyPatch) -> None:
    create(functions.bus, "other", "a", "refused", dispatch=KILLED)
    everything(monkeypatch)
    records = stream()
    calls.clear()
    assert functions.stream_handler({"Records": records}, None) == {"batchItemFailures": []}
    more = stream()
    calls.difference_update([call for call in calls if call[1] == "Table/stream"])
    assert functions.stream_handler({"Records": more}, None) == {"batchItemFailures": []}
    assert calls == granted("Stream") == COMMANDS | DUE | PROJECT


def test_the_operators(functions: Functions, calls: Calls, monkeypatch: pytest.MonkeyPatch) -> None:
    """All that the adapters ever call: handling, reading, following, rebuilding, searching and
    exporting."""
    create(functions.bus, "other", "refused", dispatch=KILLED)
    everything(monkeypatch)
    calls.clear()
    bus = functions.bus
    created = functions.handler(request("POST", PATH, {"data": {}, ID: "a"}), None)
    assert created["statusCode"] == 201
    assert functions.worker_handler(None, None)["attempted"] >= 2
    assert functions.handler(request("GET", PATH), None)["statusCode"] == 200
    for _ in "abc":
        for name, projector in bus.projectors.items():
            projector.rebuild()
            bus.subscriptions[name].advance()
    assert list(bus.store.correlated("hunter2", lambda _done, _total: None)) == []
    assert list(bus.store.dump())
    assert bus.store.size() >= 0
    (dead,) = bus.store.parked()
    assert bus.store.drop(dead.key)
    statements = resources()["Operators"]["Properties"]["PolicyDocument"]["Statement"]
    allowed = {action for statement in statements for action in statement["Action"]}
    assert {action for action, _ in calls} == allowed
