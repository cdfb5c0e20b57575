"""A service takes a newer template, and its owner's work survives."""

from __future__ import annotations

import json
import shutil
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest

from . import history
from .history import Change, change, command, commit, cruft, git
from .support import COMBINATIONS, ENVIRONMENT, TEMPLATE, BakedProject, bake, own_config
from .test_parts import add

SOURCE = "src/order_service"
DOMAIN, ORDERS = f"{SOURCE}/domain/order", f"{SOURCE}/service/order"

MAILER = '''"""Mail, to whoever is to know."""


class Mailer:
    """Keeps what is to be sent."""

    def __init__(self) -> None:
        self.sent: list[str] = []

    def send(self, text: str) -> None:
        self.sent.append(text)
'''

MAILER_PORT = '''"""Whoever is to know."""

from typing import Protocol


class Mailer(Protocol):
    def send(self, text: str) -> None: ...
'''

MAIL_SETTINGS = '''"""The mail: MAIL_FROM."""

from . import Mixin


class MailSettings(Mixin):
    mail_from: str = "us"
'''

TEST_OF_CANCELLING = '''"""Our own rules."""

from order_service.domain.order import commands, errors, events

from ..support.harness import Scenario


def test_an_order_can_be_cancelled_until_it_is_processed(scenario: Scenario) -> None:
    created = events.OrderCreated(order_id="a", data={"quantity": 1})
    cancelled = events.OrderCancelled(order_id="a")
    cancel = commands.CancelOrder(order_id="a")
    scenario.given(created).when(cancel).then(cancelled)
    scenario.when(cancel).then_refused(errors.AlreadyProcessed)


def test_nothing_is_not_an_order(scenario: Scenario) -> None:
    create = commands.CreateOrder(order_id="a", data={"quantity": 0})
    created = events.OrderCreated(order_id="a", data={"quantity": 0})
    failed = events.OrderFailed(order_id="a", reason="nothing")
    scenario.when(create).then(created, failed)
'''

# A rule, a command of their own with its event, handler and port, and what it says of itself.
FIRST_EDITS: list[Change] = [
    (
        f"{DOMAIN}/aggregate.py",
        '        if "fail" in self.data:\n',
        '        if self.data.get("quantity") == 0:\n'
        '            self.record(events.OrderFailed(order_id=self.id, reason="nothing"))\n'
        '        elif "fail" in self.data:\n',
    ),
    (f"{DOMAIN}/aggregate.py", '"archived", "failed"]', '"archived", "failed", "cancelled"]'),
    (
        f"{DOMAIN}/aggregate.py",
        "    def to_archive(",
        """    def cancel(self) -> None:
        if self.status != "created":
            raise errors.AlreadyProcessed(self.id)
        self.record(events.OrderCancelled(order_id=self.id))

    @applies(events.OrderCancelled)
    def _cancelled(self, _event: events.OrderCancelled) -> None:
        self.status = "cancelled"

    def to_archive(""",
    ),
    (
        f"{DOMAIN}/commands.py",
        "class ProcessOrder(",
        'class CancelOrder(Command):\n    """Call it off."""\n\n    order_id: str\n\n\nclass ProcessOrder(',
    ),
    (
        f"{DOMAIN}/events.py",
        "class OrderFailed(",
        'class OrderCancelled(Event):\n    """It was called off."""\n\n    order_id: str\n\n\n'
        "class OrderFailed(",
    ),
    (
        f"{ORDERS}/command_handlers.py",
        "class ArchiveOrderHandler(",
        """class CancelOrderHandler(CommandHandler[commands.CancelOrder]):
    \"\"\"Calls it off, and says so.\"\"\"

    def __init__(self, mailer: mail.Mailer) -> None:
        self._mailer = mailer

    def handle(self, command: commands.CancelOrder, uow: UnitOfWork) -> None:
        uow.get(aggregate.Order, command.order_id).cancel()
        self._mailer.send(f"{command.order_id} is cancelled")


class ArchiveOrderHandler(""",
    ),
    (f"{ORDERS}/command_handlers.py", "import files\n", "import files, mail\n"),
    (
        f"{ORDERS}/__init__.py",
        "COMMANDS = (\n",
        "COMMANDS = (\n    (commands.CancelOrder, command_handlers.CancelOrderHandler),\n",
    ),
    (
        f"{ORDERS}/__init__.py",
        "    (events.OrderFailed, []),\n",
        "    (events.OrderFailed, []),\n    (events.OrderCancelled, []),\n",
    ),
    (
        f"{SOURCE}/bootstrap.py",
        "import FileStore\n",
        "import FileStore\nfrom .service.ports.mail import Mailer\n",
    ),
    (
        f"{SOURCE}/bootstrap.py",
        "    files,\n",
        "    files,\n    mail,\n",
    ),
    (
        f"{SOURCE}/bootstrap.py",
        "    (FileStore, files.open_files),\n",
        "    (FileStore, files.open_files),\n    (Mailer, lambda _settings: mail.Mailer()),\n",
    ),
    (f"{SOURCE}/config.py", "    log,\n", "    log,\n    mail,\n"),
    (f"{SOURCE}/config.py", "LogSettings,\n", "LogSettings,\n    mail.MailSettings,\n"),
    ("pyproject.toml", '    "msgspec>=0.21",\n', '    "msgspec>=0.21,<1",\n'),
    ("README.md", "# Order Service\n", "# Orders\n\nAsk the team in the basement.\n"),
]

# Later, in other words and places, some of them in the same files.
SECOND_EDITS: list[Change] = [
    (f"{DOMAIN}/aggregate.py", "== 0:\n", 'in (0, "0"):\n'),
    (f"{SOURCE}/adapters/mail.py", "Keeps what", "Remembers what"),
    (
        f"{SOURCE}/settings/server.py",
        '    host: str = "127.0.0.1"\n',
        '    name: str = "us"\n    host: str = "127.0.0.1"\n',
    ),
    ("pyproject.toml", "dependencies = [\n", 'dependencies = [\n    "tzdata>=2025.1",\n'),
    ("README.md", "## Licence\n", "## On call\n\nThe basement, at night too.\n\n## Licence\n"),
    ("README.md", "the team in the basement", "the two in the basement"),
]
WRITTEN = {
    f"{SOURCE}/adapters/mail.py": MAILER,
    f"{SOURCE}/service/ports/mail.py": MAILER_PORT,
    f"{SOURCE}/settings/mail.py": MAIL_SETTINGS,
    "tests/unit/test_cancelling.py": TEST_OF_CANCELLING,
}
OWN_FILES = {
    *WRITTEN,
    "tests/golden/CancelOrder.v1.json",
    "tests/golden/OrderCancelled.v1.json",
}
DELETED = "compose.yaml"
MERGED = {
    "README.md",
    "pyproject.toml",
    f"{SOURCE}/bootstrap.py",
    f"{SOURCE}/config.py",
    f"{SOURCE}/settings/server.py",
}


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return history.repository(tmp_path_factory.mktemp("history"))


@pytest.mark.parametrize(
    ("name", "tests"),
    [
        ("sqlite", ["tests/unit", "tests/bus/contract/test_written.py"]),
        pytest.param("defaults", ["tests/unit", "tests/e2e"], marks=pytest.mark.slow),
    ],
)
def test_an_edited_service_takes_one_newer_template_after_the_other(
    template: Path, tmp_path: Path, baked: dict[str, BakedProject], name: str, tests: list[str]
) -> None:
    project = create(template, tmp_path, "v1", baked[name], **COMBINATIONS[name])
    rendered = project.contents()
    change(project.path, FIRST_EDITS)
    for path, text in WRITTEN.items():
        (project.path / path).write_text(text)
    (project.path / DELETED).unlink()
    project.run("python", "-m", "tests.support.golden", PYTHONPATH="src:.")
    commit(project.path, "What the service is for")
    edited = project.contents()
    first = {path: diff(rendered[path], edited[path]) for path in MERGED}

    cruft(project.path, "update", "--skip-apply-ask", "--checkout", "v2")
    second = project.contents()
    assert {path for path in second if path.endswith(".rej")} == set()
    assert {f"{SOURCE}/bus/runtime/work.py", f"{SOURCE}/adapters/clock.py"} <= set(edited) - set(
        second
    )
    assert b'__version__ = "0.9.0"' in second[f"{SOURCE}/bus/__init__.py"]
    assert all(second[path] == edited[path] for path in owned(project))
    own = ("tests/unit/test_cancelling.py", "tests/unit/test_layers.py")
    assert " passed" in project.run("pytest", "--quiet", *own, PYTHONPATH="src")
    commit(project.path, "The template's v2")

    # a colleague's clone, in which git knows no file as the template's v2 had it
    git(tmp_path, "clone", "--quiet", "--no-local", str(project.path), "clone")
    project = replace(project, path=tmp_path / "clone")
    change(project.path, SECOND_EDITS)
    commit(project.path, "More of it")
    edited = project.contents()

    cruft(project.path, "update", "--skip-apply-ask")
    updated, fresh = project.contents(), baked[name].contents()
    assert set(updated) == (set(fresh) | OWN_FILES | {".cruft.json"}) - {DELETED}
    mine = owned(project) | OWN_FILES
    assert {path for path in mine if updated[path] != edited[path]} == set()
    vendored = set(fresh) - mine - MERGED - {DELETED}
    assert {path for path in vendored if updated[path] != fresh[path]} == set()
    assert len(vendored) > 100
    for path in MERGED:
        added, gone = diff(second[path], edited[path])
        added, gone = added | first[path][0] - gone, gone | first[path][1]
        assert lines(updated[path]) == lines(fresh[path]) - gone | added, path
    assert " passed" in project.run("pytest", "--quiet", *tests, PYTHONPATH="src")


def test_where_both_changed_the_same_lines_git_marks_them(
    template: Path, tmp_path: Path, baked: dict[str, BakedProject]
) -> None:
    project = create(template, tmp_path, "v2", baked["sqlite"], **COMBINATIONS["sqlite"])
    change(project.path, [("README.md", "A commit holds", "In our words: a commit holds")])
    commit(project.path, "In our words")

    said = make_update(project, fails=True)

    assert said.splitlines()[-1] == "Both sides changed the same lines: choose in README.md"
    status = git(project.path, "status", "--porcelain")
    assert "UU README.md" in status
    readme = (project.path / "README.md").read_text()
    assert "<<<<<<< ours\nIn our words: a commit" in readme
    assert "The cycle is durable" in readme.partition("=======")[2]
    assert_updated_but_for("README.md", project, baked["sqlite"])


@pytest.mark.parametrize("versioned", [True, False], ids=["edited before git", "without git"])
def test_where_git_does_not_know_what_was_rendered_the_rest_is_in_a_rej_file(
    template: Path, tmp_path: Path, baked: dict[str, BakedProject], versioned: bool
) -> None:
    project = create(template, tmp_path, "v2", baked["sqlite"], **COMBINATIONS["sqlite"])
    shutil.rmtree(project.path / ".git")
    change(project.path, [("README.md", "A commit holds", "In our words: a commit holds")])
    if versioned:
        git(project.path, "init", "--quiet", "--initial-branch=main")
        commit(project.path, "In our words")
    before = project.contents()

    said = make_update(project, fails=True)

    assert said.splitlines()[-1] == "Lines did not fit: write them in, and delete README.md.rej"
    assert "In our words" in (project.path / "README.md").read_text()
    rejected = project.path / "README.md.rej"
    assert "+The cycle is durable" in rejected.read_text()
    rejected.unlink()
    assert_updated_but_for("README.md", project, baked["sqlite"])
    if versioned:
        git(project.path, "reset", "--quiet", "--hard")
        git(project.path, "clean", "--quiet", "-fd")
        assert project.contents() == before


def test_a_service_made_without_cruft_is_linked_and_updated(
    template: Path, tmp_path: Path, baked: dict[str, BakedProject]
) -> None:
    project = create(template, tmp_path, "v2", baked["sqlite"], **COMBINATIONS["sqlite"])
    (project.path / ".cruft.json").unlink()
    commit(project.path, "As cookiecutter makes it")

    answers = json.dumps(COMBINATIONS["sqlite"])
    linking = ("--checkout", "v2", "--no-input", "--extra-context", answers)
    cruft(project.path, "link", str(template), *linking)
    commit(project.path, "Linked")

    assert "up to date" not in cruft(project.path, "update", "--skip-apply-ask")
    assert_updated_but_for("", project, baked["sqlite"])


def test_an_answer_is_changed_later(
    template: Path, tmp_path: Path, baked: dict[str, BakedProject]
) -> None:
    project = create(template, tmp_path, "v2", baked["sqlite"], store="sqlite")
    answers = json.dumps(COMBINATIONS["postgres"])

    cruft(project.path, "update", "--skip-apply-ask", "--variables-to-update", answers)

    updated, fresh = project.contents(), baked["postgres"].contents()
    state = json.loads(updated.pop(".cruft.json"))
    assert state["context"]["cookiecutter"]["store"] == "postgres"
    assert set(updated) == set(fresh)
    assert {path for path in fresh if updated[path] != fresh[path]} - owned(project) == set()


def test_an_option_is_switched_on_in_an_edited_service(
    template: Path, tmp_path: Path, baked: dict[str, BakedProject]
) -> None:
    project = create(template, tmp_path, "v3", baked["sqlite"], **COMBINATIONS["sqlite"])
    change(project.path, FIRST_EDITS)
    for path, text in WRITTEN.items():
        (project.path / path).write_text(text)
    commit(project.path, "What the service is for")
    edited = project.contents()

    for wrong, reason in (
        ("features=qualty", "features 'qualty' is refused: it must be none, or some of"),
        ("store=floppy", "the choices are"),
        ("feature=quality", "'feature=quality' is no PROMPT=ANSWER. The prompts are service_name,"),
        ("quality", "'quality' is no PROMPT=ANSWER"),
    ):
        said = make_update(project, f"license=MIT {wrong}", fails=True)
        (line,) = said.splitlines()
        assert line.startswith("Nothing has changed: ")
        assert reason in line
        assert project.contents() == edited
    assert git(project.path, "status", "--porcelain") == ""

    make_update(project, "features=quality python_version=3.13")

    updated = project.contents()
    answers = COMBINATIONS["sqlite"] | {"features": "quality", "python_version": "3.13"}
    fresh = bake(tmp_path, **answers).contents()
    assert set(updated) == set(fresh) | WRITTEN.keys() | {".cruft.json"}
    assert {path for path in WRITTEN if updated[path] != edited[path]} == set()
    assert "tests/load/locustfile.py" not in edited
    assert b"\nmutate:" in updated["Makefile"]
    assert b'"3.13"' in updated[".github/workflows/test.yml"]
    state = json.loads(updated[".cruft.json"])["context"]["cookiecutter"]
    assert (state["features"], state["license"]) == ("quality", "Proprietary")
    own = ("tests/unit/test_cancelling.py", "tests/unit/test_layers.py")
    assert " passed" in project.run("pytest", "--quiet", *own, PYTHONPATH="src")


def test_an_example_that_was_removed_stays_removed(
    template: Path, tmp_path: Path, baked: dict[str, BakedProject]
) -> None:
    """Although the newer template has changed some of its files."""
    project = create(template, tmp_path, "v2", baked["sqlite"], **COMBINATIONS["sqlite"])
    assert add(project.path, "aggregate", own_config(tmp_path)).returncode == 0
    project.run("python", "-m", "tests.support.golden", PYTHONPATH="src:.")
    commit(project.path, "Invoices")
    project.run("python", "tools/remove_example.py", PYTHONPATH="src")
    commit(project.path, "No orders")
    before = project.contents()

    make_update(project)

    updated, fresh = project.contents(), baked["sqlite"].contents()
    assert updated.keys() - before.keys() == set()
    assert updated["compose.yaml"] == fresh["compose.yaml"] != before["compose.yaml"]
    flow = project.run("python", "-m", "order_service.entrypoints.cli", "flow", PYTHONPATH="src")
    assert "InvoiceCreated" in flow
    assert "OrderCreated" not in flow


def test_what_updates_leave_alone_is_there(project: BakedProject) -> None:
    for skipped in skips(project):
        assert list(project.path.glob(skipped)), skipped
    assert f"src/{project.package}/domain/{project.aggregate}/aggregate.py" in owned(project)
    for kept in ("bus", "adapters", "entrypoints/cli", "bootstrap.py"):
        assert not any(path.startswith(f"src/{project.package}/{kept}") for path in owned(project))
    assert not any(path.startswith("tests/bus/") for path in owned(project))


def test_the_version_is_one_and_the_changelog_says_what_it_brings_and_asks() -> None:
    version = tomllib.loads((TEMPLATE / "pyproject.toml").read_text())["project"]["version"]
    bus = (TEMPLATE / history.PACKAGE / "bus/__init__.py").read_text()
    assert f'\n__version__ = "{version}"\n' in bus
    _, *sections = (TEMPLATE / "CHANGELOG.md").read_text().split("\n## ")
    assert sections[0].splitlines()[0] == version
    for section in sections:
        headings = [line for line in section.splitlines() if line.startswith("### ")]
        assert headings == ["### Brings", "### Asks of you"]


def create(
    template: Path, folder: Path, version: str, like: BakedProject, **answers: str
) -> BakedProject:
    """A service as it is on its first day: created and committed."""
    given = ("--no-input", "--checkout", version, "--extra-context", json.dumps(answers))
    cruft(folder, "create", str(template), *given)
    project = replace(like, path=folder / like.path.name)
    git(project.path, "init", "--quiet", "--initial-branch=main")
    commit(project.path, "As rendered")
    return project


def make_update(project: BakedProject, answers: str = "", *, fails: bool = False) -> str:
    """What `make update` says, with the cruft that is here in place of one that uv would install."""
    uv = project.path.parent / "uv"
    python = ENVIRONMENT / "python"
    uv.write_text(
        f'#!/bin/sh\nwhile [ "$1" != python ]; do shift; done; shift; exec {python} "$@"\n'
    )
    uv.chmod(0o755)
    tools = project.path / ".venv/bin"
    tools.mkdir(parents=True, exist_ok=True)
    (tools / "uv").unlink(missing_ok=True)
    (tools / "uv").symlink_to(uv)
    given = ("--no-print-directory", "update", f"ANSWERS={answers}")
    said = command(project.path, "make", *given, fails=fails)
    return "\n".join(line for line in said.splitlines() if not line.startswith("make: "))


def skips(project: BakedProject) -> list[str]:
    settings = tomllib.loads((project.path / "pyproject.toml").read_text())
    found: list[str] = settings["tool"]["cruft"]["skip"]
    return found


def owned(project: BakedProject) -> set[str]:
    """The files that the setting of cruft names."""
    named = [path for skipped in skips(project) for path in project.path.glob(skipped)]
    return {
        path
        for path in project.files
        if any((project.path / path).is_relative_to(each) for each in named)
    }


def lines(content: bytes) -> set[str]:
    return set(content.decode().splitlines())


def diff(before: bytes, after: bytes) -> tuple[set[str], set[str]]:
    """The lines that are new, and those that are gone."""
    return lines(after) - lines(before), lines(before) - lines(after)


def assert_updated_but_for(file: str, project: BakedProject, fresh: BakedProject) -> None:
    """All is as it is rendered now, except for what is the owner's, and this file."""
    updated, now = project.contents(), fresh.contents()
    state = json.loads(updated.pop(".cruft.json"))
    assert state["context"]["cookiecutter"]["license"] == COMBINATIONS["sqlite"]["license"]
    assert set(updated) == set(now)
    different = {path for path in now if updated[path] != now[path]} - owned(project)
    assert different == ({file} if file else set())
