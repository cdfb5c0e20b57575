"""The Lambda functions of this service on moto's server, imported as Lambda imports them."""

import asyncio
import importlib
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from {{ cookiecutter.__package }}.adapters import aws
from {{ cookiecutter.__package }}.adapters.event_store import dynamodb
from {{ cookiecutter.__package }}.bus import Command, Dispatch, MessageBus
from {{ cookiecutter.__package }}.config import load_settings
from {{ cookiecutter.__package }}.observability import log

from .moto_server import REGION, moto_server

PACKAGE = "{{ cookiecutter.__package }}.entrypoints.aws"
MODULES = ("runtime", "http", "queue", "stream", "worker")
KILLED = Dispatch(steps=0, time_limit=timedelta(microseconds=1), grace=timedelta(0))
"""The dispatch of a process that is killed right after its commits."""

Function = Callable[[Any, Any], dict[str, Any]]


@dataclass(frozen=True, kw_only=True)
class Functions:
    """All functions, on one bus. In AWS, each is a process of its own."""

    bus: MessageBus
    handler: Function
    queue_handler: Function
    stream_handler: Function
    worker_handler: Function


@contextmanager
def lambda_functions(
    monkeypatch: pytest.MonkeyPatch, folder: Path, bucket: str = ""
) -> Iterator[Functions]:
    """The functions: on an empty table, and with a bucket if one is named."""
    monkeypatch.chdir(folder)
    with moto_server() as url:
        for name, value in (
            ("STORE", "dynamodb"),
            ("AWS_ENDPOINT_URL", url),
            ("AWS_REGION", REGION),
            ("AWS_ACCOUNT_ID_ENDPOINT_MODE", "disabled"),
            ("S3_BUCKET", bucket),
        ):
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(log, "configure", lambda *_: None)  # of the whole process
        dynamodb.create(load_settings())
        if bucket:
            client = aws.session().create_client("s3", region_name=REGION)
            where = {"LocationConstraint": REGION}
            client.create_bucket(Bucket=bucket, CreateBucketConfiguration=where)
            client.close()
        loop = asyncio.new_event_loop()
        asyncio.set_event_loop(loop)
        for name in MODULES:
            sys.modules.pop(f"{PACKAGE}.{name}", None)
        runtime, http, queue, stream, worker = (
            importlib.import_module(f"{PACKAGE}.{name}") for name in MODULES
        )
        yield Functions(
            bus=runtime.bus,
            handler=http.handler,
            queue_handler=queue.queue_handler,
            stream_handler=stream.stream_handler,
            worker_handler=worker.worker_handler,
        )
        runtime.bus.store.close()
        asyncio.set_event_loop(None)
        loop.close()


def send(bus: MessageBus, *commands: Command, dispatch: Dispatch) -> None:
    """Have these commands handled, with this dispatch of the follow-ups."""
    bus.dispatch, given = dispatch, bus.dispatch
    for command in commands:
        bus.handle(command)
    bus.dispatch = given


def stream() -> list[dict[str, Any]]:
    """The records of the table's stream for new items, as Lambda receives them."""
    client = aws.session().create_client("dynamodbstreams", region_name=REGION)
    (found,) = client.list_streams()["Streams"]
    described = client.describe_stream(StreamArn=found["StreamArn"])["StreamDescription"]
    records = []
    for shard in described["Shards"]:
        iterator = client.get_shard_iterator(
            StreamArn=found["StreamArn"],
            ShardId=shard["ShardId"],
            ShardIteratorType="TRIM_HORIZON",
        )["ShardIterator"]
        records += client.get_records(ShardIterator=iterator)["Records"]
    client.close()
    return [record for record in records if record["eventName"] == "INSERT"]
