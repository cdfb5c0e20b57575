"""What `make build` builds: small, complete, compiled; and it runs, as Lambda would run it.

The runtime is AWS's own (awslambdaric), under the runtime interface emulator that SAM brings. It runs on
this machine's processor, with the newest Python here that Lambda offers; what is built for arm64 is
looked into and not run.
"""

from __future__ import annotations

import json
import os
import platform
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from .aws import TOOLS, run_tool, uv
from .support import ENVIRONMENT, TEMPLATE, BakedProject, bake

pytestmark = pytest.mark.aws

MEBIBYTE = 1024 * 1024
EMULATOR = "aws-lambda-rie-" + {"x86_64": "x86_64", "aarch64": "arm64"}[platform.machine()]
MANYLINUX = f"{platform.machine()}-manylinux_2_28"
OFFERED = ("3.14", "3.13", "3.12")  # by Lambda; older ones have no SnapStart
FUNCTIONS = ("ApiFunction", "StreamFunction", "WorkerFunction", "QueueFunction")


@cache
def python_of_the_runtime() -> tuple[str, str]:
    """A Python that is here, of a version that Lambda offers if there is one: version and path."""
    for version in OFFERED:
        found = run_tool(
            *(ENVIRONMENT / "uv", "python", "find", "--no-project", version),
            folder=TEMPLATE,
            PYENV_VERSION=version,
            UV_PYTHON_DOWNLOADS="never",
        )
        if found.returncode == 0:
            return version, found.stdout.strip().splitlines()[-1]
    return f"{sys.version_info.major}.{sys.version_info.minor}", sys.executable


def version() -> str:
    return python_of_the_runtime()[0]


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> BakedProject:
    """A service, installed as its owner installs it."""
    project = bake(tmp_path_factory.mktemp("service"))
    make(project, ".venv/synced")
    return project


def make(project: BakedProject, *arguments: str) -> str:
    path = os.environ["PATH"].replace(f"{ENVIRONMENT}{os.pathsep}", "")
    return project.run("make", *arguments, PATH=path, VIRTUAL_ENV="", SAM_CLI_TELEMETRY="0")


@pytest.fixture(scope="module")
def built(service: BakedProject) -> Path:
    """What `make build` leaves for each function: for arm64, as it is deployed."""
    make(service, "build", f"RUNTIME={version()}")
    return service.path / ".aws-sam/build"


@pytest.fixture(scope="module")
def package(service: BakedProject, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same for this machine, after a way through a zip, as Lambda unpacks it."""
    folder = tmp_path_factory.mktemp("package")
    make(service, "build-ApiFunction", f"ARTIFACTS_DIR={folder}", *here())
    packed, unpacked = folder.with_suffix(".zip"), folder.with_name("task")
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.rglob("*")):
            archive.write(path, path.relative_to(folder))
    with zipfile.ZipFile(packed) as archive:
        archive.extractall(unpacked)
    return unpacked


def here() -> list[str]:
    return [f"RUNTIME={version()}", f"PLATFORM={MANYLINUX}"]


@pytest.fixture(scope="module")
def runtime() -> Path:
    """A Python with AWS's runtime in it, and nothing of the service."""
    home = TOOLS / f"runtime-{version()}"
    if not (home / "bin/python").exists():
        uv("venv", "--quiet", "--python", python_of_the_runtime()[1], home)
    uv("pip", "install", "--quiet", "awslambdaric>=3", UV_PYTHON=str(home / "bin/python"))
    return home / "bin/python"


# What is in it


@pytest.mark.parametrize("function", FUNCTIONS)
def test_all_that_the_service_needs_is_in_it_and_nothing_of_its_development(
    built: Path, function: str
) -> None:
    names = {path.name for path in (built / function).iterdir()}
    assert {
        "order_service",
        "botocore",
        "fastapi",
        "mangum",
        "msgspec",
        "pynamodb",
    } <= names
    assert not {"pytest", "mypy", "ruff", "moto", "hypothesis", "httpx", "tests"} & names
    assert not {"boto3", "s3transfer"} & names  # botocore alone is what the service uses
    assert {
        path.name for path in (built / function / "botocore/data").iterdir() if path.is_dir()
    } == {
        "dynamodb",
        "dynamodbstreams",
        "s3",
        "sts",
    }


def test_it_is_for_the_processor_that_it_is_deployed_to(built: Path) -> None:
    libraries = list((built / "ApiFunction").rglob("*.so"))
    assert libraries
    assert {"aarch64" in path.name for path in libraries if "linux-gnu" in path.name} == {True}


def test_it_is_compiled_by_the_version_that_runs_it(built: Path) -> None:
    tags = {path.name.split(".")[-2] for path in (built / "ApiFunction").rglob("*.pyc")}
    assert tags == {f"cpython-{version().replace('.', '')}"}


def test_its_zip_is_small(built: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "api.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for path in (built / "ApiFunction").rglob("*"):
            archive.write(path, path.relative_to(built / "ApiFunction"))
    assert (tmp_path / "api.zip").stat().st_size < 15 * MEBIBYTE


def test_the_botocore_of_the_runtime_can_be_used_instead(
    service: BakedProject, tmp_path: Path
) -> None:
    make(service, "build-ApiFunction", f"ARTIFACTS_DIR={tmp_path}", *here(), "BOTO3=runtime")
    names = {path.name for path in tmp_path.iterdir()}
    assert not {"botocore", "dateutil", "jmespath", "six.py", "urllib3"} & names
    assert "pynamodb" in names


def test_the_byte_code_is_compiled_and_never_compared_with_the_source(package: Path) -> None:
    sources = [path for path in package.rglob("*.py") if "__pycache__" not in path.parts]
    tag = f"cpython-{version().replace('.', '')}"
    for source in sources:
        compiled = source.parent / "__pycache__" / f"{source.stem}.{tag}.pyc"
        flags = int.from_bytes(compiled.read_bytes()[4:8], "little")
        assert flags == 0b01, f"{compiled} is compared with its source"


def test_nothing_is_compiled_anew_when_it_starts(package: Path, runtime: Path) -> None:
    started = run_tool(
        *(runtime, "-v", "-c", "import order_service.entrypoints.aws.http as m; m.handler"),
        folder=package,
        **environment(package, "http://127.0.0.1:1"),
    )
    assert started.returncode == 0, started.stdout[-3000:]
    of_package = re.findall(r"^# code object from '?(.*?)'?$", started.stdout, re.MULTILINE)
    assert [path for path in of_package if str(package) in path and path.endswith(".py")] == []
    assert len(re.findall(rf"# {re.escape(str(package))}.*\.pyc matches", started.stdout)) > 100


ONLY_THE_LOOPBACK = """
import sys
def refuse(event, arguments):
    if event == "socket.connect":
        raise AssertionError(f"it connects to {arguments[1]} when it starts")
sys.addaudithook(refuse)
import order_service.entrypoints.aws.http, order_service.entrypoints.aws.stream
"""


def test_it_connects_to_nothing_before_its_first_event(package: Path, runtime: Path) -> None:
    """So that a snapshot of it holds no connection, and no credentials, that will have ended."""
    started = run_tool(
        *(runtime, "-c", ONLY_THE_LOOPBACK),
        folder=package,
        **environment(package, "http://127.0.0.1:1"),
    )
    assert started.returncode == 0, started.stdout[-3000:]


MAKES_CLIENTS = """
import re, sys
from pathlib import Path
from order_service.adapters import aws
sources = "".join(path.read_text() for path in Path("order_service").rglob("*.py"))
for name in {*re.findall(r'create_client\\(\\s*"([^"]*)"', sources), *sys.argv[1:]}:
    client = aws.session().create_client(name, region_name="eu-central-1")
    client.waiter_names, [client.can_paginate(each) for each in client.meta.method_to_api_mapping]
    print(name)
"""


def clients(package: Path, runtime: Path, *of_libraries: str) -> set[str]:
    """The services of which the package's code, and the libraries in it, can make a client."""
    made = run_tool(runtime, "-c", MAKES_CLIENTS, *of_libraries, folder=package)
    assert made.returncode == 0, made.stdout[-3000:]
    return set(made.stdout.split())


def test_every_client_that_the_code_makes_can_be_made(package: Path, runtime: Path) -> None:
    made = clients(package, runtime, "dynamodb", "sts")
    assert made == {"dynamodb", "dynamodbstreams", "s3", "sts"}


NOTICES = """
from ...adapters import aws
from .runtime import settings

client = aws.session().create_client(
    "sns", region_name=settings.aws_region, endpoint_url=settings.aws_endpoint_url
)


def notice_handler(event, context):
    topic = client.create_topic(Name="notices")["TopicArn"]
    return client.publish(TopicArn=topic, Message=event["text"])["MessageId"]
"""


@contextmanager
def changed(service: BakedProject) -> Iterator[Path]:
    """Its package's folder, which a test may change: it becomes what it was."""
    folder = service.path / "src/order_service"
    before = {path: path.read_bytes() for path in files(folder).values()}
    yield folder
    for path in set(files(folder).values()) - set(before):
        path.unlink()
    for path, content in before.items():
        path.write_bytes(content)


def files(folder: Path) -> dict[str, Path]:
    return {
        path.relative_to(folder).as_posix(): path
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def test_it_holds_the_files_that_are_there_and_no_stale_one(
    service: BakedProject, runtime: Path, aws: str, tmp_path: Path
) -> None:
    """Times do not matter: what is renamed or copied often keeps the old one."""
    with changed(service) as folder:
        (folder / "entrypoints/aws/notice.py").write_text(NOTICES)
        (folder / "old_name.py").write_text("")
        (folder / "gone.json").write_text("{}")
        make(service, "build-ApiFunction", f"ARTIFACTS_DIR={tmp_path / 'first'}", *here())
        assert set(files(tmp_path / "first/order_service")) == set(files(folder))
        with emulated(
            tmp_path / "first", runtime, "notice.notice_handler", aws, tmp_path
        ) as function:
            assert len(function({"text": "hello"})) == 36, "another service of AWS is described"
        (folder / "old_name.py").rename(folder / "new_name.py")
        (folder / "gone.json").unlink()
        (folder / "rates.json").write_text("{}")
        os.utime(folder / "rates.json", (0, 0))
        make(service, "build-ApiFunction", f"ARTIFACTS_DIR={tmp_path / 'second'}", *here())
        assert set(files(tmp_path / "second/order_service")) == set(files(folder))


UNKNOWN = """
from . import aws


def client(name):
    return aws.session().create_client(name)


class Made:
    create = aws.session().create_client
"""


@pytest.mark.parametrize(
    ("code", "lines", "message"),
    [
        (UNKNOWN, (6, 10), "write create_client("),
        ('client = session().create_client("snss")', (), "of this name: snss"),
    ],
)
def test_a_client_of_no_known_service_is_an_error_of_the_build(
    service: BakedProject, tmp_path: Path, code: str, lines: tuple[int, ...], message: str
) -> None:
    (tmp_path / "package/botocore/data/s3").mkdir(parents=True)
    (tmp_path / "code").mkdir()
    (tmp_path / "code/any.py").write_text(code)
    script = service.path / "deploy/package.py"
    built = run_tool(sys.executable, script, "package", "--code", "code", folder=tmp_path)
    assert built.returncode == 1
    assert message in built.stdout
    for line in lines:
        assert f"code/any.py:{line}: {message}" in built.stdout


def test_a_service_on_postgres_is_built_too(tmp_path: Path) -> None:
    project = bake(tmp_path, store="postgres", platform="lambda")
    make(project, ".venv/synced")
    make(project, "build", f"RUNTIME={version()}")
    built = project.path / ".aws-sam/build"
    assert {path.name for path in built.iterdir() if path.is_dir()} == {
        "ApiFunction",
        "WorkerFunction",
        "QueueFunction",
    }
    assert (built / "ApiFunction/psycopg_binary").is_dir()
    described = (built / "ApiFunction/botocore/data").iterdir()
    assert {path.name for path in described if path.is_dir()} == {"s3", "secretsmanager", "sts"}


# It runs


def environment(package: Path, url: str) -> dict[str, str]:
    return {
        "AWS_LAMBDA_FUNCTION_NAME": "api",
        "LAMBDA_TASK_ROOT": str(package),
        "STORE": "dynamodb",
        "DYNAMODB_TABLE": "order-service",
        "S3_BUCKET": "files",
        "AWS_REGION": "eu-central-1",
        "AWS_ENDPOINT_URL": url,
        "AWS_ACCOUNT_ID_ENDPOINT_MODE": "disabled",
    }


MOTO = """
import sys
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server
server = make_server("127.0.0.1", int(sys.argv[1]), DomainDispatcherApplication(create_backend_app))
server.serve_forever()
"""


@pytest.fixture(scope="module")
def aws(service: BakedProject, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """moto's server, with the table and the bucket in it. One request at a time: see the service's
    tests/support/moto_server.py."""
    port, log = free_port(), tmp_path_factory.mktemp("moto") / "log"
    url = f"http://127.0.0.1:{port}"
    with process([sys.executable, "-c", MOTO, str(port)], log):
        until(lambda: reachable(port))
        made = run_tool(
            *(service.path / ".venv/bin/order-service", "create-store"),
            folder=service.path,
            **environment(service.path, url),
        )
        assert made.returncode == 0, made.stdout
        put = urllib.request.Request(f"{url}/files", b"", method="PUT")
        put.add_header("Authorization", "AWS4-HMAC-SHA256 Credential=t/20260101/us-east-1/s3/x")
        urllib.request.urlopen(put).close()
        yield url


class Function:
    """A function under the emulator."""

    def __init__(self, port: int, log: Path) -> None:
        self._url = f"http://127.0.0.1:{port}/2015-03-31/functions/function/invocations"
        self._log = log

    def __call__(self, event: Any) -> Any:
        request = urllib.request.Request(self._url, json.dumps(event).encode())
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.loads(answer.read())

    @property
    def init_milliseconds(self) -> float:
        (found,) = re.findall(r"INIT REPORT\(durationMs: ([0-9.]+)\)", self._log.read_text())
        return float(found)

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(x) for x in self._log.read_text().splitlines() if x.startswith("{")]


@contextmanager
def emulated(
    package: Path, runtime: Path, handler: str, url: str, folder: Path, **more: str
) -> Iterator[Function]:
    """The function of this module and name, run as Lambda runs it."""
    (emulator,) = (TOOLS / "sam").rglob(f"samcli/local/rapid/{EMULATOR}")
    port, api, log = free_port(), free_port(), folder / f"{handler}-{time.monotonic_ns()}.log"
    command = [
        *(str(emulator), "--runtime-interface-emulator-address", f"127.0.0.1:{port}"),
        *("--runtime-api-address", f"127.0.0.1:{api}", str(runtime), "-m", "awslambdaric"),
        f"order_service.entrypoints.aws.{handler}",
    ]
    with process(command, log, cwd=package, **environment(package, url), **more):
        until(lambda: reachable(port))
        yield Function(port, log)


@contextmanager
def process(
    command: list[str], log: Path, cwd: Path | None = None, **more: str
) -> Iterator[subprocess.Popen[bytes]]:
    keys = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
    with log.open("wb") as output:
        running = subprocess.Popen(
            command,
            cwd=cwd,
            env={"PATH": os.environ["PATH"], **keys, **more},
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield running
    finally:
        os.killpg(running.pid, signal.SIGKILL)
        running.wait()


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def reachable(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


def until(probe: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not probe():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def request(method: str, path: str, body: Any = None) -> dict[str, Any]:
    """What API Gateway sends."""
    return {
        "version": "2.0",
        "rawPath": path,
        "rawQueryString": "",
        "headers": {"content-type": "application/json", "host": "api", "x-correlation-id": "c-1"},
        "requestContext": {
            "http": {"method": method, "path": path, "sourceIp": "127.0.0.1"},
            "stage": "$default",
        },
        "body": body if isinstance(body, str) else json.dumps(body),
        "isBase64Encoded": False,
    }


def create(order_id: str, **data: Any) -> dict[str, Any]:
    """A command as a queue brings it, or a direct invocation."""
    return {"command": "CreateOrder", "body": {"order_id": order_id, "data": data}}


@pytest.fixture(scope="module")
def api(
    package: Path, runtime: Path, aws: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Function]:
    with emulated(
        package, runtime, "http.handler", aws, tmp_path_factory.mktemp("api")
    ) as function:
        yield function


def test_it_creates_reads_and_tells_the_history(api: Function) -> None:
    created = api(request("POST", "/orders", {"order_id": "a", "data": {"x": 1}}))
    assert (created["statusCode"], created["headers"]["location"]) == (201, "/orders/a")
    read = api(request("GET", "/orders/a"))
    assert json.loads(read["body"])["status"] == "archived"
    history = json.loads(api(request("GET", "/orders/a/history"))["body"])
    kinds = [event["type"] for event in history["events"]]
    assert kinds == ["OrderCreated", "OrderProcessed", "OrderArchived"]
    direct = api(create("direct"))
    assert direct["statusCode"] == 201
    assert json.loads(direct["body"])["events"][0]["type"] == "OrderCreated"
    assert api({"warm-up": True})["statusCode"] == 200


def test_bad_events_get_an_answer_and_the_function_goes_on(api: Function) -> None:
    huge = json.dumps({"data": {"text": "x" * 300_000}})
    for event, status in (
        (request("POST", "/orders", huge), 413),
        (request("POST", "/orders", "{"), 422),
        (request("GET", "/orders/unknown"), 404),
        ({"version": "2.0", "requestContext": None}, 422),
        (None, 422),
        (["x"], 422),
        (create("a b"), 422),
        ({"command": "ArchiveOrder", "body": {"order_id": "a"}}, 422),
        (create("huge", text="x" * 300_000), 413),
    ):
        assert api(event)["statusCode"] == status
    assert api(request("GET", "/health"))["statusCode"] == 200


def test_what_it_logs_says_which_request_and_what_correlates(api: Function) -> None:
    api(request("POST", "/orders", {"order_id": "logged", "data": {"secret": "hunter2"}}))
    lines = [line for line in api.lines if line["event"] == "handled"]
    assert lines
    assert all(line["request_id"] and line["correlation_id"] for line in lines)
    assert "hunter2" not in str(api.lines)


def test_a_queue_batch_with_a_poisoned_message_reports_exactly_that_one(
    package: Path, runtime: Path, aws: str, api: Function, tmp_path: Path
) -> None:
    bodies = [json.dumps(create("q1")), "poison", json.dumps(create("q2"))]
    records = [{"messageId": f"m{n}", "body": body} for n, body in enumerate(bodies)]
    with emulated(package, runtime, "queue.queue_handler", aws, tmp_path) as function:
        for _ in "ab":
            failed = function({"Records": records})["batchItemFailures"]
            assert failed == [{"itemIdentifier": "m1"}]
    for name in ("q1", "q2"):
        history = json.loads(api(request("GET", f"/orders/{name}/history"))["body"])
        assert len(history["events"]) == 3


def test_what_was_cut_off_is_completed_on_schedule_which_brings_it_to_the_list(
    package: Path, runtime: Path, aws: str, api: Function, tmp_path: Path
) -> None:
    with emulated(package, runtime, "http.handler", aws, tmp_path, DISPATCH="worker") as cut_off:
        assert cut_off(create("cut-off"))["statusCode"] == 201
        assert json.loads(cut_off(request("GET", "/orders/cut-off"))["body"])["version"] == 1
    assert "cut-off" not in listed(api)
    with emulated(
        package, runtime, "worker.worker_handler", aws, tmp_path, DISPATCH="worker"
    ) as worker:
        assert worker({"source": "aws.scheduler"})["attempted"] >= 2
        assert "subscriber" not in str(worker.lines), "none of them failed"
    assert json.loads(api(request("GET", "/orders/cut-off"))["body"])["status"] == "archived"
    assert "cut-off" in listed(api)


def test_the_stream_brings_what_was_committed_to_the_list(
    package: Path, runtime: Path, aws: str, api: Function, tmp_path: Path
) -> None:
    assert api(create("streamed"))["statusCode"] == 201
    assert "streamed" not in listed(api)
    image = {
        "stream_id": {"S": "Order/streamed"},
        "sort": {"S": "commit#0000000001"},
        "count": {"N": "1"},
        "events": {"S": '[{"$type":"OrderCreated","order_id":"streamed","data":{}}]'},
        "command_id": {"S": "c"},
        "command": {"S": "CreateOrder"},
        "context": {"S": '{"correlation_id":"c"}'},
        "recorded_at": {"S": "2026-01-01T00:00:00.000000Z"},
    }
    records = [
        {"eventName": "INSERT", "dynamodb": {"SequenceNumber": number, "NewImage": new}}
        for number, new in (("1", image), ("2", {"events": 5}), ("3", image))
    ]
    with emulated(package, runtime, "stream.stream_handler", aws, tmp_path) as stream:
        failed = stream({"Records": records})["batchItemFailures"]
        assert failed == [{"itemIdentifier": "2"}]
    assert "streamed" in listed(api)


def listed(api: Function) -> list[str]:
    """The ids that are in the list."""
    items = json.loads(api(request("GET", "/orders"))["body"])["items"]
    return [item["order_id"] for item in items]


def test_compiled_it_starts_faster(package: Path, runtime: Path, aws: str, tmp_path: Path) -> None:
    """Side by side, so that the machine's own pace is in both."""
    bare = tmp_path / "bare"
    shutil.copytree(package, bare, ignore=shutil.ignore_patterns("__pycache__"))
    times: dict[str, list[float]] = {"compiled": [], "bare": []}
    for _ in range(3):
        for name, folder in (("compiled", package), ("bare", bare)):
            more = {"PYTHONDONTWRITEBYTECODE": "1"}
            with emulated(folder, runtime, "http.handler", aws, tmp_path, **more) as function:
                function({"warm-up": True})
                times[name].append(function.init_milliseconds)
    print(f"milliseconds to start: {times}")
    assert min(times["compiled"]) < min(times["bare"])
