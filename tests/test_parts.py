"""A service grows: parts are added to one that is there, and that has been edited."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from .support import ENVIRONMENT, TEMPLATE, BakedProject, bake, own_config

WIRED = {"src/order_service/bootstrap.py", "src/order_service/entrypoints/api/app.py"}
NAMES = ["Invoice", "Purchase Order", "AbcdEfghIjklMnopQrstUvwx"]


def add(folder: Path, part: str, config: Path, **answers: str) -> subprocess.CompletedProcess[str]:
    """As `make new-...` does it, in the folder of the service."""
    command = [
        *(str(ENVIRONMENT / "cookiecutter"), str(TEMPLATE), "--directory", f"parts/{part}"),
        *("--no-input", "--output-dir", "..", "--overwrite-if-exists", "--skip-if-file-exists"),
        *("--config-file", str(config), *(f"{name}={each}" for name, each in answers.items())),
    ]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.fixture
def service(tmp_path: Path) -> BakedProject:
    """One that its owner has edited."""
    project = bake(tmp_path, store="sqlite")
    with (project.path / "README.md").open("a") as readme:
        readme.write("\nIn our own words.\n")
    return project


def test_aggregates_are_added_one_after_the_other_and_all_is_green(
    service: BakedProject, tmp_path: Path
) -> None:
    config = own_config(tmp_path)
    for name in NAMES:
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
    service.run("mypy", MYPYPATH="src", MYPY_CACHE_DIR=os.devnull)
    kept = [f"tests/e2e/test_{name}.py" for name in ("flow", "http", "operations")]
    new = ["invoices", "purchase_orders", "abcd_efgh_ijkl_mnop_qrst_uvwxes"]
    added_tests = [f"tests/e2e/test_{name}.py" for name in new]
    passed = service.run("pytest", "--quiet", "tests/unit", *kept, *added_tests, PYTHONPATH="src")
    assert " passed" in passed
    assert "InvoiceClosed" in service.run(
        "python", "-m", "order_service.entrypoints.cli", "flow", PYTHONPATH="src"
    )


COMMANDS = [
    ("Order", "CancelOrder", "OrderCancelled"),
    ("Order", "ShipOrder", "OrderShipped"),
    ("Invoice", "PayInvoice", "InvoicePaid"),
    ("Invoice", "Import", "InvoiceImported"),
    ("Order", "ReturnToSenderWithAVeryLongNameIndeed", "OrderWasReturnedToItsSenderInTheEnd1"),
]


def test_commands_are_added_one_after_the_other_and_all_is_green(
    service: BakedProject, tmp_path: Path
) -> None:
    config = own_config(tmp_path)
    assert add(service.path, "aggregate", config).returncode == 0
    for aggregate, command, event in COMMANDS:
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
        }
        assert changed == expected
        service.run("ruff", "format", "--check", "--diff", "--no-cache")
        service.run("ruff", "check", "--no-cache")
    service.run("python", "-m", "tests.support.golden", PYTHONPATH="src:.")
    service.run("mypy", MYPYPATH="src", MYPY_CACHE_DIR=os.devnull)
    passed = service.run("pytest", "--quiet", "tests/unit", PYTHONPATH="src")
    assert " passed" in passed
    flow = service.run("python", "-m", "order_service.entrypoints.cli", "flow", PYTHONPATH="src")
    for _, command, event in COMMANDS:
        assert command in flow
        assert event in flow


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


def test_outside_of_a_service_nothing_is_added(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    added = add(tmp_path / "elsewhere", "aggregate", own_config(tmp_path))
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
