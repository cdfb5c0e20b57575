"""The example goes, and a service of its owner's own aggregates is left."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

from .history import commit, git
from .support import ENVIRONMENT, BakedProject, bake, own_config
from .test_parts import add

EXAMPLE = {"aggregate_name": "Zebra"}  # a word that stands nowhere else
KNOW_IT = {  # what the template brings and updates, and what keeps updates from bringing the rest back
    "pyproject.toml",
    "tests/support/harness.py",
    "tools/remove_example.py",
}
DESCRIPTION = "Takes zebras, processes them and archives the result."


def remove_example(service: BakedProject) -> subprocess.CompletedProcess[str]:
    """As `make remove-example` does it."""
    return subprocess.run(
        [str(ENVIRONMENT / "python"), "tools/remove_example.py"],
        cwd=service.path,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": "src"},
        capture_output=True,
        text=True,
        check=False,
    )


def cli(service: BakedProject, *arguments: str, **settings: str) -> str:
    command = ("python", "-m", f"{service.package}.entrypoints.cli", *arguments)
    return service.run(*command, PYTHONPATH="src", **settings)


def grown(folder: Path, *others: str, **answers: str) -> BakedProject:
    """A service in git, with other aggregates beside the example."""
    service = bake(folder, **answers)
    for other in others:
        added = add(service.path, "aggregate", own_config(folder), aggregate_name=other)
        assert added.returncode == 0, added.stdout + added.stderr
    service.run("python", "-m", "tests.support.golden", PYTHONPATH="src:.")
    git(service.path, "init", "--quiet", "--initial-branch=main")
    commit(service.path, "Grown")
    return service


@pytest.fixture(scope="module")
def without(tmp_path_factory: pytest.TempPathFactory) -> BakedProject:
    """A service without the example, whose store has one of it and one of the other."""
    service = grown(tmp_path_factory.mktemp("without"), "Invoice", store="sqlite", **EXAMPLE)
    cli(service, "send", "CreateZebra", '{"zebra_id": "z", "data": {}}')
    cli(service, "send", "CreateInvoice", '{"invoice_id": "i", "data": {}}')
    removed = remove_example(service)
    assert removed.returncode == 0, removed.stdout + removed.stderr
    said = removed.stdout.splitlines()
    assert f"removed: src/{service.package}/domain/zebra" in said
    assert "removed: tests/golden/ProcessZebra.v1.json" in said
    assert f"changed: src/{service.package}/bootstrap.py" in said
    assert f"left to you: README.md:3: {DESCRIPTION}" in said
    assert "`history` and `state` refuse their streams" in removed.stdout
    return service


def test_without_the_example_all_is_green(
    without: BakedProject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """The described answers of the other aggregate are tried by the slow tests."""
    cache = str(tmp_path_factory.getbasetemp() / "mypy")
    all_is_green(without, cache, "--ignore=tests/e2e/test_openapi.py")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("answers", "others", "tests"),
    [
        pytest.param({"features": "quality"}, ["Invoice"], "tests/[ie]*/test_*.py", id="dynamodb"),
        pytest.param(
            {"store": "postgres", "platform": "lambda"},
            ["Invoice"],
            "tests/[ie]*/test_*.py",
            id="postgres",
        ),
        pytest.param(
            {"store": "sqlite", "aggregate_name": "AbcdEfghIjklMnopQrstUvwx"},
            ["Purchase Order", "InternationalTradePerson"],
            "tests/unit/test_*.py",
            id="long names",
        ),
    ],
)
def test_without_the_example_all_is_green_on_each_store_and_under_each_name(
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
    answers: dict[str, str],
    others: list[str],
    tests: str,
) -> None:
    service = grown(tmp_path, *others, **EXAMPLE | answers)
    removed = remove_example(service)
    assert removed.returncode == 0, removed.stdout + removed.stderr
    those = [path.relative_to(service.path) for path in sorted(service.path.glob(tests))]
    all_is_green(service, str(tmp_path_factory.getbasetemp() / "mypy"), *map(str, those))


def all_is_green(service: BakedProject, cache: str, *options: str) -> None:
    service.run("ruff", "format", "--check", "--diff", "--no-cache")
    service.run("ruff", "check", "--no-cache")
    service.run("mypy", MYPYPATH="src", MYPY_CACHE_DIR=cache)
    passed = service.run("pytest", "--quiet", "--ignore=tests/bus", *options, PYTHONPATH="src")
    assert " passed" in passed


def test_nothing_speaks_of_the_example_any_more(without: BakedProject) -> None:
    for path, content in without.contents().items():
        if path not in KNOW_IT:
            text = content.decode().replace(DESCRIPTION, "")
            found = re.search(".*zebra.*", text, re.IGNORECASE)
            assert "zebra" not in path
            assert not found, f"{path}: {found}"
    project = (without.path / "pyproject.toml").read_text().partition("[tool.cruft]")[0]
    assert "zebra" not in project.replace(DESCRIPTION, "")
    for page in ("README.md", "AGENTS.md"):
        for path in re.findall(r"`((?:src|tests)/[\w./]+)`", (without.path / page).read_text()):
            assert (without.path / path).exists(), f"{page} names {path}"


def test_the_readme_and_the_flow_show_the_other_aggregate(without: BakedProject) -> None:
    readme = (without.path / "README.md").read_text()
    assert f"```mermaid\n{cli(without, 'flow').strip()}\n```" in readme
    assert "CreateInvoice" in readme
    assert "curl 127.0.0.1:8000/invoices/a1/history" in readme


def test_what_is_in_the_store_of_the_example_stays_there(
    without: BakedProject, tmp_path: Path
) -> None:
    """It is in the feed and in exports; its stream is none of this service, and read models are
    made without it."""
    feed = cli(without, "feed", "--all", "--once").splitlines()
    assert [line.split("  ")[1] for line in feed] == [
        "CreateZebra → ZebraCreated (unknown)",
        "ProcessZebra → ZebraProcessed (unknown)",
        "ArchiveZebra → ZebraArchived (unknown)",
        "CreateInvoice → InvoiceCreated",
    ]
    refused = subprocess.run(
        [str(ENVIRONMENT / "python"), "-m", "order_service.entrypoints.cli", "history", "Zebra/z"],
        cwd=without.path,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": "src"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert refused.returncode == 1
    assert "there is no aggregate 'Zebra'; there is Invoice" in refused.stderr
    assert "InvoiceCreated" in cli(without, "history", "i")
    assert "invoices: 100%" in cli(without, "rebuild", "invoices")
    exported = tmp_path / "log.jsonl"
    cli(without, "export", str(exported))
    streams = [json.loads(line).get("stream_id") for line in exported.read_text().splitlines()]
    assert {"Zebra/z", "Invoice/i"} <= set(streams)
    imported = cli(without, "import", str(exported), SQLITE_PATH=str(tmp_path / "other.db"))
    assert "import: 100%" in imported
    assert "0 open, 0 due" in cli(without, "status")


def test_what_the_parts_added_to_the_example_goes_with_it(tmp_path: Path) -> None:
    service, config = grown(tmp_path, "Invoice", store="sqlite"), own_config(tmp_path)
    for part in ("command", "projection"):
        assert add(service.path, part, config, aggregate_name="Order").returncode == 0
    service.run("python", "-m", "tests.support.golden", PYTHONPATH="src:.")
    process = service.path / "src/order_service/domain/billing/aggregate.py"
    process.parent.mkdir()
    process.write_text('class Billing(Aggregate):\n    """It has no routes."""\n')
    commit(service.path, "The example has grown")
    assert remove_example(service).returncode == 0
    assert "`GET /invoices/{id}/history`" in (service.path / "README.md").read_text()
    left = [path for path in service.files if re.search("order(?!_service)", path, re.IGNORECASE)]
    assert left == []
    assert "order_" not in (service.path / "src/order_service/entrypoints/api/app.py").read_text()


def test_what_it_cannot_do_it_refuses_in_a_line_and_changes_nothing(tmp_path: Path) -> None:
    service = grown(tmp_path, store="sqlite")
    refused_with("there is no other aggregate. First run make new-aggregate", service)

    add(service.path, "aggregate", own_config(tmp_path))
    refused_with("commit your changes first", service)

    handlers = service.path / "src/order_service/service/invoice/event_handlers.py"
    handlers.write_text("from ...domain.order import events\n\nNEWS = events.OrderArchived\n")
    commit(service.path, "Invoices follow orders")
    refused_with("service/invoice/event_handlers.py uses the order. Change it first", service)

    handlers.unlink()
    both = service.path / "tests/unit/test_both.py"
    both.write_text(
        "from order_service.domain import invoice, order\n\nBOTH = (invoice, order)\n", "utf-8"
    )
    commit(service.path, "A test of both")
    refused_with("tests/unit/test_both.py uses other aggregates, too. Divide it first", service)

    both.unlink()
    commit(service.path, "No test of both")
    assert remove_example(service).returncode == 0
    again = remove_example(service)
    assert (again.returncode, again.stdout) == (
        0,
        "There is nothing to remove: the service has no src/order_service/domain/order\n",
    )


def refused_with(reason: str, service: BakedProject) -> None:
    before = service.contents()
    refused = remove_example(service)
    (line,) = refused.stderr.splitlines()
    assert (refused.returncode, refused.stdout) == (1, "")
    assert line.startswith("Nothing has changed: ")
    assert reason in line
    assert service.contents() == before
