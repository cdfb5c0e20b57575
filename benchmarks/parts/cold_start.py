"""A fresh process that answers one event, as Lambda starts one."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections import defaultdict
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks import servers
from benchmarks.ground import BIN, PACKAGE, PEERS, Ground, last_line, run
from benchmarks.measure import CouldNotRun, Measured, Spread, Turn
from benchmarks.report import Part
from benchmarks.svg import bars

COLD = Path(__file__).parent.parent / "ours/cold.py"
BUCKET = "bench-files"
HELLO, BARE = "FastAPI, Mangum, boto3", "bare botocore"
COMPILED = ", compiled"
POST, STREAM, WORKER = (
    "ours, an HTTP event, the workflow of three",
    "ours, the stream handler",
    "ours, an HTTP event, what follows left to the worker",
)
SHOWN = 14
"""So many packages are named in the picture."""

ABOUT = """From the start of a process to the answer to its first event, with AWS on loopback (moto), by the Python that runs
the benchmarks. Ours is built as `make build` builds it, and answers `POST /orders` as it is deployed: five requests to
DynamoDB and one to S3; the stream handler brings the read models up to an event and looks for what is due. The others
put one item each. They are measured as installing their packages into a folder leaves them, sources without byte code
(Lambda cannot keep what it compiles, and compiles at each start), and compiled as ours is. A warm event is one of
thirty that come after the first."""

WHY_COMPILED = """Compiled alike, ours has the same imports and its own besides: pynamodb, pydantic-settings, structlog, msgspec,
punq and the service; and it sends six requests where the other sends one, and makes a client for S3."""
WHY_REQUESTS = """It sends six requests, one after the other, where the other sends one."""
WHY_STREAM = """Compiled alike, ours has the imports of botocore and its own besides, and sends six requests where the other
sends one. The largest import of its own is pydantic-settings, with pydantic and asyncio, which come along."""


def measure(ground: Ground) -> Part:
    part = Part("cold-start", "Cold start: a fresh process, one event", ABOUT)
    packages = _packages(ground)
    events = _events(ground.folder)
    functions = f"{PACKAGE}.entrypoints.aws"
    with servers.moto(ground.folder) as url, ground.contenders() as start:
        start("ours.cold_ground", BUCKET, store="dynamodb", **servers.aws(url)).ask("make")
        settings = servers.aws(url) | {"S3_BUCKET": BUCKET, "LOG_LEVEL": "error"}
        later = settings | {"DISPATCH": "worker"}
        runs = {
            POST: (
                [str(packages["ours"]), f"{functions}.http", "handler", events["http"]],
                settings,
            ),
            WORKER: (
                [str(packages["ours"]), f"{functions}.http", "handler", events["http"]],
                later,
            ),
            STREAM: (
                [str(packages["ours"]), f"{functions}.stream", "stream_handler", events["stream"]],
                settings,
            ),
        }
        for name, module in ((HELLO, "hello"), (BARE, "bare")):
            for how in ("", COMPILED):
                package = str(packages[f"{module}{how}"])
                runs[name + how] = ([package, module, "handler", events["http"]], settings)
        turns: dict[str, Turn] = {
            name: _turn(arguments, environment) for name, (arguments, environment) in runs.items()
        }
        measured = ground.measure(turns, seconds=0.01)
        warm = {
            name: _warm(*run) for name, run in runs.items() if COMPILED in name or "ours" in name
        }
        imported = {name: _imports(*runs[name]) for name in (POST, STREAM, HELLO + COMPILED)}
    part.times(measured, "ms", 1e3)
    for name, seconds in warm.items():
        part.row(f"{name}: an event when it is warm", Spread.of([1e3 * x for x in seconds]), "ms")
    part.pictures["Milliseconds from the start of the process to the answer"] = bars(
        {name: measured.time(name).median * 1e3 for name in measured.seconds}, unit="ms"
    )
    for name, times in imported.items():
        largest = sorted(times, key=lambda each: -times[each])
        shown = {each: times[each] for each in largest[:SHOWN]}
        if rest := sum(times[each] for each in largest[SHOWN:]):
            shown["all others"] = rest
        part.pictures[
            f"Milliseconds of import by package, clients made meanwhile included: {name}"
        ] = bars(shown, unit="ms")
    _limits(part, measured)
    return part


def _limits(part: Part, measured: Measured) -> None:
    for how, bound, bound_of_stream, why, why_stream in (
        ("", 0.85, 1.0, "", WHY_REQUESTS),
        (COMPILED, 1.15, 1.8, WHY_COMPILED, WHY_STREAM),
    ):
        part.limit(
            f"an HTTP event against {HELLO}{how}",
            partial(measured.cost, POST, HELLO + how),
            bound,
            why=why,
        )
        part.limit(
            f"the stream handler against {BARE}{how}",
            partial(measured.cost, STREAM, BARE + how),
            bound_of_stream,
            why=why_stream,
        )


def _packages(ground: Ground) -> dict[str, Path]:
    """What would be sent to Lambda, by name: ours as its build makes it, the others with sources
    alone, and compiled as ours is."""
    service = ground.service("dynamodb")
    folder = ground.folder / "packages"
    ours = folder / "ours"
    _install(ours, "--requirements", str(service / "pyproject.toml"))
    shutil.copytree(service / "src" / PACKAGE, ours / PACKAGE)
    _compile(service, ours)
    made = {"ours": ours}
    for name, wanted in (("hello", ["fastapi", "mangum", "boto3"]), ("bare", ["botocore"])):
        plain, compiled = folder / name, folder / f"{name}-compiled"
        _install(plain, *wanted)
        shutil.copy(PEERS / "functions" / f"{name}.py", plain)
        shutil.copytree(plain, compiled)
        _compile(service, compiled)
        made |= {name: plain, f"{name}{COMPILED}": compiled}
    return made


def _install(folder: Path, *wanted: str) -> None:
    uv = [str(BIN / "uv"), "pip", "install", "--quiet", "--no-compile-bytecode"]
    run([*uv, "--python", sys.executable, "--target", str(folder), *wanted])


def _compile(service: Path, folder: Path) -> None:
    command = [sys.executable, str(service / "deploy/package.py"), str(folder)]
    code = folder / PACKAGE
    run(
        [
            *command,
            *(["--code", str(code)] if code.exists() else []),
            "--services",
            "dynamodb",
            "sts",
        ]
    )


def _events(folder: Path) -> dict[str, str]:
    """The files of the events, by kind."""
    http = {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": "/orders",
        "rawQueryString": "",
        "headers": {"content-type": "application/json", "host": "api"},
        "requestContext": {
            "http": {
                "method": "POST",
                "path": "/orders",
                "sourceIp": "127.0.0.1",
                "protocol": "HTTP/1.1",
            },
            "stage": "$default",
        },
        "body": json.dumps({"data": {"item": "book"}}),
        "isBase64Encoded": False,
    }
    image = {
        "stream_id": {"S": "Order/streamed"},
        "sort": {"S": "commit#0000000001"},
        "count": {"N": "1"},
        "events": {"S": '[{"$type":"OrderCreated","order_id":"streamed","data":{}}]'},
        "command_id": {"S": "0"},
        "command": {"S": "CreateOrder"},
        "context": {"S": '{"correlation_id":"0"}'},
        "recorded_at": {"S": "2026-01-02T03:04:05.000000+00:00"},
    }
    record = {"eventName": "INSERT", "dynamodb": {"NewImage": image, "SequenceNumber": "1"}}
    files = {}
    for kind, event in (("http", http), ("stream", {"Records": [record]})):
        files[kind] = str(folder / f"{kind}.json")
        Path(files[kind]).write_text(json.dumps(event))
    return files


def _python(*options: str) -> list[str]:
    """The interpreter itself, apart from the environment that the benchmarks run in."""
    base: str = getattr(sys, "_base_executable", sys.executable)
    return [base, "-I", "-S", "-B", *options, str(COLD)]


def _turn(arguments: list[str], settings: dict[str, str]) -> Turn:
    """The seconds until so many fresh processes, one after the other, have answered."""

    def turn(n: int) -> float:
        return sum(_once(arguments, settings) for _ in range(n))

    return turn


def _once(arguments: list[str], settings: dict[str, str]) -> float:
    started = time.perf_counter()
    with subprocess.Popen(
        [*_python(), *arguments],
        env=os.environ | settings,
        cwd=arguments[0],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout
        assert process.stderr
        answer = process.stdout.readline()
        seconds = time.perf_counter() - started
        errors = process.stderr.read()
    said: Any = json.loads(answer) if answer else None
    if not said or (said.get("statusCode") != 201 and said.get("batchItemFailures") != []):
        raise CouldNotRun(f"it answered {answer.strip()[:200] or last_line(errors)}")
    return seconds


def _warm(arguments: list[str], settings: dict[str, str]) -> list[float]:
    """The seconds that each of some events takes after the first one, in one process."""
    outcome = subprocess.run(
        [*_python(), *arguments, "30"],
        env=os.environ | settings,
        cwd=arguments[0],
        capture_output=True,
        text=True,
        check=True,
    )
    seconds: list[float] = json.loads(outcome.stdout.splitlines()[1])
    return seconds


def _imports(arguments: list[str], settings: dict[str, str]) -> dict[str, float]:
    """The milliseconds that each package's modules took to be imported, without what they import."""
    outcome = subprocess.run(
        [*_python("-X", "importtime"), *arguments],
        env=os.environ | settings,
        cwd=arguments[0],
        capture_output=True,
        text=True,
        check=False,
    )
    times: defaultdict[str, float] = defaultdict(float)
    for line in outcome.stderr.splitlines():
        head, _, rest = line.partition("import time:")
        own, _, module = rest.partition("|")
        if head or not own.strip().isdigit():
            continue
        package = module.rpartition("|")[2].strip().partition(".")[0]
        known = package in sys.stdlib_module_names
        times["the standard library" if known else package] += int(own) / 1e3
    return dict(times)
