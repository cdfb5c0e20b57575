"""What the guides of a rendered service say, is so."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from .support import BakedProject, bake

WRONG_HANDLERS = """
from {package}.bus import Command, CommandHandler, Event, EventHandler, UnitOfWork

class Send(Command):
    to: str

class Keep(Command):
    to: str

class Sent(Event):
    to: str

class SendHandler(CommandHandler[Send]):
    def handle(self, command: Keep, uow: UnitOfWork) -> None: ...

class WhenSent(EventHandler[Sent]):
    def handle(self, event: Send) -> list[Command]: return []

Send("by position")
Send(too="a field that is not there")
Send(to=3)
Send(to="frozen").to = "changed"
"""


@pytest.fixture
def own(tmp_path: Path) -> BakedProject:
    """A service of this test's own, to change."""
    return bake(tmp_path, store="sqlite", aggregate_name="Purchase Order")


def test_the_five_steps_of_agents_md_add_a_command(own: BakedProject) -> None:
    command, event, method, handler, command_row, event_row, test = blocks(own.path / "AGENTS.md")
    package = own.path / "src" / own.package
    domain, service = package / "domain" / own.aggregate, package / "service" / own.aggregate
    append(domain / "commands.py", command)
    append(domain / "events.py", event)
    replace(domain / "aggregate.py", '"archived", ', '"archived", "cancelled", ')
    append(domain / "aggregate.py", method)
    append(service / "command_handlers.py", handler)
    replace(service / "__init__.py", "COMMANDS = (\n", f"COMMANDS = (\n{command_row}")
    replace(service / "__init__.py", "] = (\n", f"] = (\n{event_row}")
    append(own.path / f"tests/unit/test_{own.aggregate}.py", test)

    own.run("ruff", "format", "--no-cache")
    own.run("ruff", "check", "--no-cache")
    own.run("mypy")
    with pytest.raises(AssertionError, match="is new: run `make golden`"):
        own.run("pytest", "-p", "no:cacheprovider", "tests/unit/test_golden.py", PYTHONPATH="src")
    own.run("python", "-m", "tests.support.golden", PYTHONPATH="src")
    tests = own.run("pytest", "-p", "no:cacheprovider", "tests/unit", "-v", PYTHONPATH="src")
    assert "test_it_is_cancelled_once PASSED" in tests
    assert "CancelPurchaseOrderHandler" in flow(own)


def test_a_step_left_out_is_found(own: BakedProject) -> None:
    """A command without its row is no part of the flow; an event without its method stops the start."""
    _, event, _, _, _, event_row, _ = blocks(own.path / "AGENTS.md")
    package = own.path / "src" / own.package
    append(package / "domain" / own.aggregate / "events.py", event)
    replace(package / "service" / own.aggregate / "__init__.py", "] = (\n", f"] = (\n{event_row}")
    with pytest.raises(AssertionError, match="no aggregate applies PurchaseOrderCancelled"):
        flow(own)


def test_mypy_finds_a_handler_that_does_not_take_its_own_message(own: BakedProject) -> None:
    (own.path / "tests/wrong.py").write_text(WRONG_HANDLERS.format(package=own.package))
    with pytest.raises(AssertionError) as failure:
        own.run("mypy", "tests/wrong.py")
    errors = re.findall(r"wrong\.py:(\d+): error: .*\[(.+)\]", str(failure.value))
    assert errors == [
        ("14", "override"),
        ("17", "override"),
        ("19", "call-arg"),
        ("20", "call-arg"),
        ("21", "arg-type"),
        ("22", "misc"),
    ]


def test_a_route_may_ask_for_one_thing_more_than_the_longest_does(own: BakedProject) -> None:
    routes = own.path / "src" / own.package / "entrypoints/api/purchase_orders.py"
    replace(
        routes, "    response: Response,\n", "    response: Response,\n    _dry: bool = False,\n"
    )
    own.run("ruff", "check", "--no-cache")


def test_each_guarantee_names_tests_that_are_there(project: BakedProject) -> None:
    lines = (project.path / "GUARANTEES.md").read_text().splitlines()
    rows = [line for line in lines if line.startswith("| ") and line != "| | |"]
    tests = "".join(path.read_text() for path in project.path.glob("tests/**/*.py"))
    assert len(rows) > 20
    for row in rows:
        named = re.findall(r"`(test_\w+)`", row)
        folders = re.findall(r"`(tests/[\w/.]+)`", row)
        assert named or folders, row
        assert [name for name in named if f"def {name}(" not in tests] == []
        assert [folder for folder in folders if not (project.path / folder).exists()] == []


def test_the_diagram_in_the_readme_is_the_wiring(project: BakedProject) -> None:
    (diagram,) = re.findall(
        r"^```mermaid\n(.*?)^```$",
        (project.path / "README.md").read_text(),
        re.DOTALL | re.MULTILINE,
    )
    drawn = re.findall(r"(\w+)[\[(]+\"(\w+)\"[\])]+", diagram)
    labels = {label for _, label in drawn}
    wired = set(re.findall(r"(\w+)[\[(]+\1[\])]+:::(?:command|event)", flow(project)))
    assert labels == wired
    assert len(wired) == 7


def flow(project: BakedProject) -> str:
    run = f"from {project.package}.entrypoints.cli import main; raise SystemExit(main(['flow']))"
    return project.run("python", "-c", run, PYTHONPATH="src", FILES_PATH=str(project.path / "var"))


def blocks(document: Path) -> list[str]:
    """The Python blocks, without the indentation of the list that they stand in."""
    found = re.findall(
        r"^   ```python\n(.*?)^   ```$", document.read_text(), re.DOTALL | re.MULTILINE
    )
    return [re.sub(r"^   ", "", block, flags=re.MULTILINE) for block in found]


def append(path: Path, block: str) -> None:
    path.write_text(f"{path.read_text()}\n\n{block}")


def replace(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert text.count(old) == 1, f"{old!r} in {path}"
    path.write_text(text.replace(old, new))


def test_every_command_that_shows_anything_is_tried_with_text_that_steers_a_terminal(
    baked: dict[str, BakedProject],
) -> None:
    """Here and not in the service, where a command of the owner's own would turn it red."""
    ask = """
from tests.bus.e2e.test_cli_robust import SHOW
from order_service.entrypoints.cli.program import COMMANDS
known = {each.name for each in COMMANDS} - {"serve", "worker", "create-store"}
print(*sorted(known - {arguments[0] for arguments in SHOW}))
"""
    assert baked["sqlite"].run("python", "-c", ask, PYTHONPATH="src:.").split() == []
