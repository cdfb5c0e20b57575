"""The Lambda functions that serve no HTTP, on a table with a stream."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from {{ cookiecutter.__package }}.bus import Dispatch, MessageBus
from {{ cookiecutter.__package }}.service.{{ cookiecutter.__aggregate_snake }} import queries

from ..support.lambda_functions import KILLED, PACKAGE, create, lambda_functions, stream


@pytest.fixture
def module(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[ModuleType]:
    with lambda_functions(monkeypatch, tmp_path) as module:
        yield module


def listed(bus: MessageBus) -> dict[str, str]:
    page = bus.ask(queries.Get{{ cookiecutter.__aggregate }}List())
    return {row.id: row.status for row in page.items}


def deliver(module: ModuleType, records: list[Any]) -> list[str]:
    answer = module.stream_handler({"Records": records}, None)
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


@pytest.mark.parametrize("bad", POISON)
def test_a_record_that_cannot_be_handled_is_reported_and_the_others_take_effect(
    module: ModuleType, bad: dict[str, Any]
) -> None:
    create(module.bus, "a", "b", "c", dispatch=Dispatch())
    assert listed(module.bus) == {}
    records = stream()
    middle = len(records) // 2
    batch = [*records[:middle], bad, *records[middle:]]
    for _ in "ab":
        assert deliver(module, batch) == ["7"]
        assert listed(module.bus) == {"a": "archived", "b": "archived", "c": "archived"}


def test_an_event_of_other_code_is_reported(module: ModuleType) -> None:
    create(module.bus, "a", dispatch=Dispatch())
    records = stream()
    (first, *_) = [record for record in records if "events" in record["dynamodb"]["NewImage"]]
    first["dynamodb"]["NewImage"]["events"] = {"S": '[{"$type":"Unheard"}]'}
    first["dynamodb"]["NewImage"]["stream_id"] = {"S": "{{ cookiecutter.__aggregate }}/other"}
    assert deliver(module, records) == [first["dynamodb"]["SequenceNumber"]]
    assert listed(module.bus) == {"a": "archived"}


def test_the_stream_wakes_the_worker(module: ModuleType) -> None:
    create(module.bus, "a", dispatch=KILLED)
    assert deliver(module, stream()) == []
    assert deliver(module, stream()) == []
    assert listed(module.bus) == {"a": "archived"}


def test_the_schedule_completes_what_was_cut_off(module: ModuleType) -> None:
    create(module.bus, "a", "b", dispatch=KILLED)
    assert module.worker_handler({"any": "event"}, None)["attempted"] >= 2
    for each in "ab":
        view = module.bus.ask(
            queries.Get{{ cookiecutter.__aggregate }}(
                {{ cookiecutter.__aggregate_snake }}_id=each,
            )
        )
        assert (view.status, view.version) == ("archived", 3)
    assert module.worker_handler(None, None) == {"attempted": 0}


class Context:
    """What Lambda says of an invocation."""

    aws_request_id = "request-1"

    def __init__(self, milliseconds: int) -> None:
        self._milliseconds = milliseconds

    def get_remaining_time_in_millis(self) -> int:
        return self._milliseconds


def test_it_ends_before_lambda_ends_it(module: ModuleType) -> None:
    create(module.bus, "a", "b", dispatch=KILLED)
    assert module.worker_handler(None, Context(4_000)) == {"attempted": 0}
    assert module.worker_handler(None, Context(60_000))["attempted"] >= 2


@pytest.mark.parametrize("event", [None, [], "x", {}, {"Records": None}, {"Records": []}])
def test_what_is_no_batch_is_no_exception(module: ModuleType, event: Any) -> None:
    assert module.stream_handler(event, None) == {"batchItemFailures": []}


@pytest.mark.parametrize("record", [None, 5, {}, {"dynamodb": 5}])
def test_what_is_no_record_is_reported(module: ModuleType, record: Any) -> None:
    assert deliver(module, [record]) == [""]


def test_it_serves_no_http_and_so_loads_nothing_for_it(module: ModuleType) -> None:
    code = f"import {PACKAGE}.aws_lambda, sys; sys.exit('fastapi' in sys.modules)"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    ended = subprocess.run([sys.executable, "-c", code], env=environment, check=False)
    assert ended.returncode == 0
