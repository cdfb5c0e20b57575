"""What each Lambda function does with AWS: it is driven through every route, handler and read model
that the service has, and its calls are noted."""

import json
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from botocore.client import BaseClient

from {{ cookiecutter.__package }}.bus import Command, DomainError, UnitOfWork
from {{ cookiecutter.__package }}.entrypoints import intake

from . import examples
from .lambda_functions import KILLED, Functions, lambda_functions, send, stream

Calls = set[tuple[str, str]]
"""A permission, and on what."""

COMMANDS: Calls = {
    ("dynamodb:ConditionCheckItem", "Table"),
    ("dynamodb:DeleteItem", "Table"),
    ("dynamodb:PutItem", "Table"),
    ("dynamodb:Query", "Table"),
    ("dynamodb:UpdateItem", "Table"),
}
"""What running commands, and what follows from them, needs."""
LOOK: Calls = {("dynamodb:GetItem", "Table")}
LIST: Calls = {("dynamodb:Query", "Table/index/listed")}
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

OF_THE_BUS: dict[str, Calls] = {
    "Api": COMMANDS | PROJECT | LIST,
    "Queue": COMMANDS | LOOK,
    "Stream": COMMANDS | DUE | PROJECT,
    "Worker": COMMANDS | DUE | PROJECT | FOLLOW,
}
"""What the bus and the store do in each function, whatever the service."""

THERE, REFUSED = "there", "refused"
"""The id of what is there, and a part of the ids of which follow-ups are refused."""


@dataclass(frozen=True)
class Deployed:
    """The functions of the service, and what they have called since `calls` was cleared last."""

    functions: Functions
    calls: Calls
    ran: set[type[Command]]
    numbers: Iterator[int]

    def ids(self) -> tuple[str, str, str]:
        """Of what is not there yet, of what is there, and of that whose follow-ups are refused."""
        number = next(self.numbers)
        return f"new-{number}", THERE, f"{REFUSED}-{number}"

    def leave_to_the_worker(self) -> None:
        """Have every public command handled, by a process that is killed after its commit. Its
        calls are not noted."""
        noted, ids = set(self.calls), self.ids()
        for command in intake.PUBLIC.values():
            for an_id in ids:
                with suppress(DomainError):
                    send(self.functions.bus, examples.example(command, an_id), dispatch=KILLED)
        self.calls.intersection_update(noted)


@contextmanager
def deployed(folder: Path, bucket: str = "") -> Iterator[Deployed]:
    """The functions on an empty table. Every command reads another stream than its own as well, and
    what only the service itself sends is refused where its id says so."""
    with (
        pytest.MonkeyPatch.context() as patch,
        lambda_functions(patch, folder, bucket) as functions,
    ):
        found = Deployed(functions, set(), set(), count())
        call = BaseClient._make_api_call

        def noted(client: Any, operation: str, parameters: Any) -> Any:
            service = client.meta.service_model.service_name
            found.calls.update(needed(service, operation, parameters))
            return call(client, operation, parameters)

        patch.setattr(BaseClient, "_make_api_call", noted)
        for handler in functions.bus.registry.commands.values():
            patch.setattr(handler, "handle", _reading_more(found, handler.handle))
        for an_id in ("other", THERE):
            examples.begin(functions.bus, functions.bus.store, an_id)
        found.calls.clear()
        yield found


def _reading_more(found: Deployed, handle: Callable[[Any, UnitOfWork], None]) -> Any:
    other = next(iter(found.functions.bus.codecs.aggregates.values()))

    def handled(command: Command, uow: UnitOfWork) -> None:
        found.ran.add(type(command))
        uow.get(other, "other")
        if type(command) not in intake.PUBLIC.values() and REFUSED in str(command):
            raise DomainError("refused")
        handle(command, uow)

    return handled


def needed(service: str, operation: str, parameters: Any) -> Calls:
    """The permissions that a call needs. Those for a service that is not known here stand on
    everything."""
    if service == "s3":
        return {(f"s3:{operation}", "Files")}
    if service == "dynamodbstreams":
        return {(f"dynamodb:{operation}", "Table/stream")}
    if service != "dynamodb":
        return {(f"{service}:{operation}", "*")}
    if operation == "TransactWriteItems":
        parts = {"Put": "PutItem", "Delete": "DeleteItem", "ConditionCheck": "ConditionCheckItem"}
        names = {name for item in parameters["TransactItems"] for name in item}
        return {(f"dynamodb:{parts[name]}", "Table") for name in names}
    index = parameters.get("IndexName")
    return {(f"dynamodb:{operation}", f"Table/index/{index}" if index else "Table")}


# Each function at work: with everything that there is for it.


def api(service: Deployed) -> None:
    """Every route, for what is not there yet, for what is there, and with what follows refused."""
    described = json.loads(_answered(service, "GET", "/openapi.json")["body"])
    definitions = described.get("components", {}).get("schemas", {})
    routes = [
        (method.upper(), path, route)
        for path, methods in described["paths"].items()
        for method, route in methods.items()
    ]
    routes.sort(key=lambda each: (each[0] == "GET", each[1].count("/")))  # first what begins
    new, there, refused = service.ids()
    for an_id in (new, there, refused, refused):
        for method, path, route in routes:
            schema = route.get("requestBody", {}).get("content", {}).get("application/json", {})
            sent = examples.body(schema["schema"], definitions, an_id) if schema else None
            named = "/".join(an_id if part[:1] == "{" else part for part in path.split("/"))
            headers = {"idempotency-key": an_id} if an_id == refused else {}
            status = _answered(service, method, named, sent, headers)["statusCode"]
            assert status != 422, (
                f"{method} {path} refuses {sent}: give its fields examples, as in "
                "Field(examples=['EUR'])"
            )
            assert status < 500, f"{method} {path}: {status}"


def _answered(
    service: Deployed, method: str, path: str, body: Any = None, headers: Any = ()
) -> dict[str, Any]:
    event = {
        "version": "2.0",
        "rawPath": path,
        "rawQueryString": "",
        "headers": {"content-type": "application/json", **dict(headers)},
        "requestContext": {"http": {"method": method, "path": path, "sourceIp": "127.0.0.1"}},
        "body": json.dumps(body) if body is not None else "",
        "isBase64Encoded": False,
    }
    return service.functions.handler(event, None)


def queue(service: Deployed) -> None:
    """Every public command."""
    ids = service.ids()
    for name, command in intake.PUBLIC.items():
        for an_id in ids:
            message = {"command": name, "body": examples.fields(command, an_id)}
            record = {
                "messageId": str(uuid.uuid4()),
                "body": json.dumps(message),
                "eventSourceARN": "arn",
            }
            service.functions.queue_handler({"Records": [record]}, None)


def worker(service: Deployed) -> None:
    """Everything that is pending, and every subscriber; and the commands that nothing has led to,
    as if they had been pending."""
    service.leave_to_the_worker()
    service.functions.worker_handler(None, None)
    for command in service.functions.bus.registry.commands:
        if issubclass(command, Command) and command not in service.ran:
            with suppress(DomainError):
                service.functions.bus.handle(examples.example(command, THERE))
    assert service.ran == set(service.functions.bus.registry.commands)


def stream_(service: Deployed) -> None:
    """Everything that the table's stream brings."""
    service.leave_to_the_worker()
    seen = 0
    for _ in "ab":  # the second time, what the first has written
        records = stream()
        own = [call for call in service.calls if call[1] == "Table/stream"]
        service.calls.difference_update(own)
        answer = service.functions.stream_handler({"Records": records[seen:]}, None)
        assert answer == {"batchItemFailures": []}
        seen = len(records)


def operators(service: Deployed) -> None:
    """What the adapters call beside what the functions have them call: rebuilding, searching and
    exporting."""
    bus = service.functions.bus
    for _ in "abc":
        for name, projector in bus.projectors.items():
            projector.rebuild()
            bus.subscriptions[name].advance()
    assert list(bus.store.correlated("hunter2", lambda _done, _total: None)) == []
    assert list(bus.store.dump())
    assert bus.store.size() >= 0
    for dead in bus.store.parked():
        assert bus.store.drop(dead.key)


DRIVEN: dict[str, Callable[[Deployed], None]] = {
    "Api": api,
    "Queue": queue,
    "Stream": stream_,
    "Worker": worker,
}
"""Each function of template.yaml, and what has it do all that it does."""
