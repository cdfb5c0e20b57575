"""A service grows: parts are added to one that is there, and that has been edited."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import TypeVar

import pytest

from .support import ENVIRONMENT, TEMPLATE, BakedProject, bake, own_config

T = TypeVar("T")

WIRED = {"src/order_service/bootstrap.py", "src/order_service/entrypoints/api/app.py"}
EDITS = [
    ("config.py", "    BaseSettings,\n", "    BaseSettings,\n    # ours\n"),
    ("config.py", "    @model_validator", "    own: int = 1\n\n    @model_validator"),
    ("settings/server.py", 'host: str = "127.0.0.1"', 'host: str = "127.0.0.1"  # ours'),
    ("bootstrap.py", "SERVICES = (  # one name per aggregate\n", "SERVICES = (\n    # ours\n"),
    (
        "service/order/__init__.py",
        "PROJECTIONS = (  # one name per read model\n",
        "PROJECTIONS = (\n    # ours\n",
    ),
    ("settings/log.py", '= "info"\n', '= "info"\n    mail_url: str | None = None\n'),
]
NAMES = ["Invoice", "Apple", "Purchase Order", "AbcdEfghIjklMnopQrstUvwx"]


def add(folder: Path, part: str, config: Path, **answers: str) -> subprocess.CompletedProcess[str]:
    """As `make new-...` does it, in the folder of the service."""
    command = [
        *(str(ENVIRONMENT / "cookiecutter"), str(TEMPLATE), "--directory", f"parts/{part}"),
        *("--no-input", "--output-dir", "..", "--overwrite-if-exists", "--skip-if-file-exists"),
        *("--config-file", str(config), *(f"{name}={each}" for name, each in answers.items())),
    ]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def once_and(several: list[T]) -> pytest.MarkDecorator:
    """The first of them at each run; all, one after the other, in the slow one."""
    runs = [several[:1], pytest.param(several, marks=pytest.mark.slow)]
    return pytest.mark.parametrize("parts", runs, ids=["one", "all"])


@pytest.fixture
def cache(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What mypy found out about the dependencies serves every service that this process checks."""
    return str(tmp_path_factory.getbasetemp() / "mypy")


@pytest.fixture
def service(tmp_path: Path) -> BakedProject:
    """One that its owner has edited."""
    project = bake(tmp_path, store="sqlite")
    package = project.path / "src/order_service"
    for path, before, after in EDITS:
        text = (package / path).read_text()
        assert before in text
        (package / path).write_text(text.replace(before, after))
    with (project.path / "README.md").open("a") as readme:
        readme.write("\nIn our own words.\n")
    with (project.path / ".env.example").open("a") as example:
        example.write("\n# Our own\n# OWN=1\n")
    return project


@once_and(NAMES)
def test_aggregates_are_added_one_after_the_other_and_all_is_green(
    service: BakedProject, tmp_path: Path, cache: str, parts: list[str]
) -> None:
    config = own_config(tmp_path)
    for name in parts:
        before = service.contents()
        added = add(service.path, "aggregate", config, aggregate_name=name)
        assert added.returncode == 0, added.stdout + added.stderr
        service.run("python", "-m", "tests.support.golden", PYTHONPATH="src:.")
        after = service.contents()
        assert {path for path in before if before[path] != after[path]} == WIRED
        for path in WIRED:
            lines = set(after[path].decode().splitlines()) - set(before[path].decode().splitlines())
            assert len(lines) == 1, f"one line in each place: {lines}"
        service.run("ruff", "format", "--check", "--diff", "--no-cache")
        service.run("ruff", "check", "--no-cache")
    service.run("mypy", MYPYPATH="src", MYPY_CACHE_DIR=cache)
    passed = service.run("pytest", "--quiet", "--ignore=tests/bus", PYTHONPATH="src")
    assert " passed" in passed
    assert "InvoiceCreated" in service.run(
        "python", "-m", "order_service.entrypoints.cli", "flow", PYTHONPATH="src"
    )


COMMANDS = [
    ("Order", "CancelOrder", "OrderCancelled"),
    ("Order", "ShipOrder", "OrderShipped"),
    ("Invoice", "PayInvoice", "InvoicePaid"),
    ("Invoice", "Import", "InvoiceImported"),
    ("Order", "ReturnToSenderWithAVeryLongNameIndeed", "OrderWasReturnedToItsSenderInTheEnd1"),
]


@once_and(COMMANDS)
def test_commands_are_added_one_after_the_other_and_all_is_green(
    service: BakedProject, tmp_path: Path, cache: str, parts: list[tuple[str, str, str]]
) -> None:
    config = own_config(tmp_path)
    assert add(service.path, "aggregate", config).returncode == 0
    for aggregate, command, event in parts:
        before = service.contents()
        answers = {"aggregate_name": aggregate, "command_name": command, "event_name": event}
        added = add(service.path, "command", config, **answers)
        assert added.returncode == 0, added.stdout + added.stderr
        after = service.contents()
        for path, content in before.items():
            lines, kept = after[path].decode().splitlines(), content.decode().splitlines()
            assert set(kept) <= set(lines), f"something is gone from {path}"
        changed = {path.rpartition("/")[2] for path in before if before[path] != after[path]}
        expected = {
            "__init__.py",
            "aggregate.py",
            "command_handlers.py",
            "commands.py",
            "events.py",
            f"{aggregate.lower()}s.py",
        }
        assert changed == expected
        service.run("ruff", "format", "--check", "--diff", "--no-cache")
        service.run("ruff", "check", "--no-cache")
    service.run("python", "-m", "tests.support.golden", PYTHONPATH="src:.")
    service.run("mypy", MYPYPATH="src", MYPY_CACHE_DIR=cache)
    passed = service.run("pytest", "--quiet", "--ignore=tests/bus", PYTHONPATH="src")
    assert " passed" in passed
    sent = "from order_service.entrypoints.intake import PUBLIC; print(*PUBLIC)"
    assert {command for _, command, _ in parts} <= set(
        service.run("python", "-c", sent, PYTHONPATH="src").split()
    )
    flow = service.run("python", "-m", "order_service.entrypoints.cli", "flow", PYTHONPATH="src")
    for _, command, event in parts:
        assert command in flow
        assert event in flow


PROJECTIONS = [
    ("Order", "OrderSummary", "order-summaries"),
    ("Invoice", "Latest", "latest-invoices"),
    ("Order", "OrdersReturnedToTheirSenderInTheEnd12345", "returned-orders-of-all-the-years"),
]


@pytest.mark.slow
@pytest.mark.parametrize("parts", [PROJECTIONS])
def test_read_models_are_added_one_after_the_other_and_all_is_green(
    service: BakedProject, tmp_path: Path, cache: str, parts: list[tuple[str, str, str]]
) -> None:
    config = own_config(tmp_path)
    assert add(service.path, "aggregate", config).returncode == 0
    service.run("python", "-m", "tests.support.golden", PYTHONPATH="src:.")
    for aggregate, projection, plural in parts:
        before = service.contents()
        answers = {"aggregate_name": aggregate, "projection_name": projection}
        added = add(service.path, "projection", config, **answers, projection_plural=plural)
        assert added.returncode == 0, added.stdout + added.stderr
        wired = {
            "src/order_service/entrypoints/api/app.py": 2,
            f"src/order_service/service/{aggregate.lower()}/__init__.py": 10,
        }
        assert lines_added(before, service.contents()) == wired
        service.run("ruff", "format", "--check", "--diff", "--no-cache")
        service.run("ruff", "check", "--no-cache")
    service.run("mypy", MYPYPATH="src", MYPY_CACHE_DIR=cache)
    passed = service.run("pytest", "--quiet", "--ignore=tests/bus", PYTHONPATH="src")
    assert " passed" in passed
    command_line = ("python", "-m", "order_service.entrypoints.cli")
    for _, _, plural in parts:
        name = plural.replace("-", "_")
        assert f"{name}: 100%" in service.run(*command_line, "rebuild", name, PYTHONPATH="src")


@pytest.mark.slow
def test_the_tests_of_roles_and_routes_take_in_what_was_added(tmp_path: Path) -> None:
    """On DynamoDB: each Lambda function is driven through the new routes, handlers and lists."""
    service, config = bake(tmp_path), own_config(tmp_path)
    for part in ("aggregate", "command", "projection"):
        assert add(service.path, part, config).returncode == 0
    service.run("python", "-m", "tests.support.golden", PYTHONPATH="src:.")
    assert " passed" in service.run("pytest", "--quiet", "--ignore=tests/bus", PYTHONPATH="src")


EXTERNALS = [
    ("Customer", "customers"),
    ("Stock Level", "stock-levels"),
    ("AbcdEfghIjklMnopQrstUvwx", "abcdefghijklmnopqrstuvwx-abcdefg"),
]


@pytest.mark.slow
@pytest.mark.parametrize("parts", [EXTERNALS])
def test_other_systems_are_added_one_after_the_other_and_all_is_green(
    service: BakedProject, tmp_path: Path, cache: str, parts: list[tuple[str, str]]
) -> None:
    config = own_config(tmp_path)
    for number, (name, plural) in enumerate(parts):
        before = service.contents()
        answers = {"external_name": name, "external_plural": plural}
        added = add(service.path, "external", config, **answers)
        assert added.returncode == 0, added.stdout + added.stderr
        wired = {
            ".env.example": 4,
            "README.md": 2,
            "src/order_service/bootstrap.py": 6,
            "src/order_service/config.py": 2,
            **({} if number else {"pyproject.toml": 1}),
        }
        assert lines_added(before, service.contents()) == wired
        service.run("ruff", "format", "--check", "--diff", "--no-cache")
        service.run("ruff", "check", "--no-cache")
    service.run("mypy", MYPYPATH="src", MYPY_CACHE_DIR=cache)
    new = [f"tests/integration/test_{plural.replace('-', '_')}.py" for _, plural in parts]
    kept = ["tests/unit/test_config.py", "tests/unit/test_layers.py", "tests/e2e/test_orders.py"]
    passed = service.run("pytest", "--quiet", *kept, *new, PYTHONPATH="src")
    assert " passed" in passed


@pytest.mark.parametrize(
    ("part", "edit", "missing"),
    [
        (
            "aggregate",
            ("bootstrap.py", "SERVICES = (", "SERVICES = tuple("),
            "list `SERVICES = (`",
        ),
        ("command", ("service/order/__init__.py", "\nPUBLIC", "\nOPEN"), "table PUBLIC"),
        ("command", ("entrypoints/api/orders.py", "domain.order", "domain"), "module with `from "),
        (
            "projection",
            ("entrypoints/api/app.py", "ROUTERS = (", "OURS = ("),
            "list `ROUTERS = (`",
        ),
        ("external", ("../../README.md", "| variable |", "| name |"), "table that begins with `|"),
    ],
)
def test_what_finds_no_place_is_said_in_one_line_and_nothing_is_changed(
    service: BakedProject, tmp_path: Path, part: str, edit: tuple[str, str, str], missing: str
) -> None:
    path, before, after = edit
    edited = service.path / "src/order_service" / path
    assert before in edited.read_text()
    edited.write_text(edited.read_text().replace(before, after))
    contents = service.contents()
    added = add(service.path, part, own_config(tmp_path))
    assert added.returncode == 1
    (said,) = (added.stdout + added.stderr).splitlines()
    assert f" has no {missing}" in said
    assert said.endswith("Nothing was changed")
    assert service.contents() == contents


ONE_LINE = [
    ("bootstrap.py", "SERVICES = (\n    # ours\n    order,\n)", "SERVICES = (order,)  # ours"),
    (
        "bootstrap.py",
        "from .service import (\n    order,\n)",
        "from .service import order",
    ),
    ("entrypoints/api/app.py", "from . import (\n    orders,\n)", "from . import orders"),
    ("entrypoints/api/app.py", "    orders,\n)\n\n\nclass", "    orders\n)\n\n\nclass"),
    (
        "service/order/__init__.py",
        "PUBLIC = (  # what outsiders may send by name: over a queue, or from the command line\n"
        "    commands.CreateOrder,\n)",
        "PUBLIC = (commands.CreateOrder,)",
    ),
]


def test_a_list_that_a_formatter_has_put_on_one_line_is_found(
    service: BakedProject, tmp_path: Path
) -> None:
    package = service.path / "src/order_service"
    for path, before, after in ONE_LINE:
        text = (package / path).read_text()
        assert before in text, before
        (package / path).write_text(text.replace(before, after))
    tables = package / "service/order/__init__.py"
    rows = re.compile(r"^(COMMANDS|EVENTS)(.*?)\(\n(.*?)^\)", re.MULTILINE | re.DOTALL)
    one_line = rows.sub(lambda table: " ".join(table[0].split()), tables.read_text())
    assert "COMMANDS = ( ( commands.CreateOrder, " in one_line
    tables.write_text(one_line)
    config = own_config(tmp_path)
    for part in ("aggregate", "command"):
        added = add(service.path, part, config)
        assert added.returncode == 0, added.stdout + added.stderr
    service.run("ruff", "format", "--no-cache")
    service.run("ruff", "check", "--no-cache")
    flow = service.run("python", "-m", "order_service.entrypoints.cli", "flow", PYTHONPATH="src")
    assert "CancelOrder" in flow
    assert "InvoiceCreated" in flow


def lines_added(before: dict[str, bytes], after: dict[str, bytes]) -> dict[str, int]:
    """How many lines each file that was there has more; the others are all there, in their order."""
    added = {}
    for path, content in before.items():
        lines = iter(after[path].decode().splitlines())
        for line in (kept := content.decode().splitlines()):
            assert line in lines, f"{path} has lost, or moved, {line!r}"
        if more := len(after[path].decode().splitlines()) - len(kept):
            added[path] = more
    return added


@pytest.mark.parametrize(
    ("part", "answers", "refusal"),
    [
        ("projection", {"aggregate_name": "Parcel"}, "the service has Order"),
        ("projection", {"projection_name": "OrderList"}, "has OrderList already.*: OrderSummary"),
        ("projection", {"projection_name": "OrderHistory"}, "queries.py has .*: OrderSummary"),
        ("projection", {"projection_name": "Page"}, "has a Page.*: OrderSummary"),
        ("projection", {"projection_name": "summary"}, "must be a class name.*: OrderSummary"),
        ("projection", {"projection_plural": "orders"}, "orders.py already.*: orders2"),
        ("projection", {"projection_plural": "health"}, "uses for something else.*: [a-z-]+"),
        ("external", {"external_name": "Protocol"}, "has a Protocol.*: Protocol2"),
        ("external", {"external_name": "a-b"}, "must be letters and digits.*: Purchase Order"),
        ("external", {"external_plural": "event-store"}, "event_store already.*: event-store2"),
        ("external", {"external_plural": "server"}, "settings/server.py already.*: server2"),
        ("external", {"external_plural": "order"}, "domain/order already.*: order2"),
        ("external", {"external_plural": "mail"}, "has mail_url.*: mail2"),
        ("external", {"external_plural": "customer"}, "is the singular as well.*: [a-z-]+"),
    ],
)
def test_a_read_model_or_another_system_that_collides_is_refused_in_one_line(
    service: BakedProject, tmp_path: Path, part: str, answers: dict[str, str], refusal: str
) -> None:
    before = service.contents()
    added = add(service.path, part, own_config(tmp_path), **answers)
    assert added.returncode == 1
    (said,) = (added.stdout + added.stderr).splitlines()
    assert re.fullmatch(f".* is refused: .*{refusal}", said), said
    assert service.contents() == before


@pytest.mark.parametrize(
    ("answers", "refusal"),
    [
        ({"aggregate_name": "Parcel"}, "aggregate_name 'Parcel' is refused: the service has Order"),
        ({"command_name": "CreateOrder"}, "commands.py has CreateOrder already"),
        ({"command_name": "Process"}, "aggregate.py has a method process already"),
        ({"command_name": "cancel order"}, "must be a class name"),
        ({"command_name": "None"}, "must be a class name"),
        ({"event_name": "OrderCreated"}, "events.py has OrderCreated already"),
        ({"event_name": "x" * 41}, "must be a class name"),
        ({"comand_name": "ShipOrder"}, "there is no such prompt, but command_name"),
    ],
)
def test_a_command_that_collides_is_refused_in_one_line_and_nothing_is_changed(
    service: BakedProject, tmp_path: Path, answers: dict[str, str], refusal: str
) -> None:
    before = service.contents()
    added = add(service.path, "command", own_config(tmp_path), **answers)
    assert added.returncode == 1
    said = (added.stdout + added.stderr).splitlines()
    assert len(said) == 1
    assert refusal in said[0]
    assert service.contents() == before


@pytest.mark.parametrize(
    ("answers", "refusal"),
    [
        ({"aggregate_name": "Order"}, "aggregate_name 'Order' is refused: the service has src/"),
        ({"aggregate_plural": "orders"}, "aggregate_plural 'orders' is refused: the service has"),
        ({"aggregate_name": "Event"}, "which the service uses for something else"),
        ({"aggregate_name": "über"}, "must be letters and digits"),
    ],
)
def test_what_collides_is_refused_in_one_line_and_nothing_is_changed(
    service: BakedProject, tmp_path: Path, answers: dict[str, str], refusal: str
) -> None:
    before = service.contents()
    added = add(service.path, "aggregate", own_config(tmp_path), **answers)
    assert added.returncode == 1
    said = (added.stdout + added.stderr).splitlines()
    assert len(said) == 1
    assert refusal in said[0]
    assert service.contents() == before


@pytest.mark.parametrize("part", ["aggregate", "command", "projection", "external"])
def test_outside_of_a_service_nothing_is_added(tmp_path: Path, part: str) -> None:
    (tmp_path / "elsewhere").mkdir()
    added = add(tmp_path / "elsewhere", part, own_config(tmp_path))
    assert added.returncode == 1
    assert "is not the folder of a service" in added.stdout + added.stderr
    assert not list((tmp_path / "elsewhere").iterdir())


def test_an_aggregate_that_is_there_again_is_wired_once(
    service: BakedProject, tmp_path: Path
) -> None:
    """Its folders gone, and its lines still there: the lines are not doubled."""
    config = own_config(tmp_path)
    assert add(service.path, "aggregate", config).returncode == 0
    first = service.contents()
    for path in service.path.rglob("*"):
        if path.is_file() and "invoice" in str(path.relative_to(service.path)):
            path.unlink()
    for path in sorted(service.path.rglob("*invoice*"), reverse=True):
        path.rmdir()
    assert add(service.path, "aggregate", config).returncode == 0
    assert service.contents() == first
