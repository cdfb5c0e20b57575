"""An option of the template is its files and its row. The page that says so is followed here, with an option
that is thrown away."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest
from cookiecutter.exceptions import FailedHookException

from .pages import Step, change, steps
from .support import COMBINATIONS, LEFT_BY_TOOLS, TEMPLATE, BakedProject, bake

PAGE = TEMPLATE / "docs/how-to/add-an-option.md"
STEPS = [step for step in steps(PAGE) if step.kind == "patch"]
ANSWERS = COMBINATIONS["sqlite"]


def is_new(step: Step) -> bool:
    return not (TEMPLATE / step.file).exists()


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the template that has the option, too."""
    folder = tmp_path_factory.mktemp("option") / "template"
    shutil.copytree(TEMPLATE, folder, ignore=shutil.ignore_patterns(*LEFT_BY_TOOLS))
    for step in STEPS:
        change(folder, step)
    return folder


@pytest.fixture(autouse=True)
def _rules_of_the_copy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cookiecutter finds the copy's own modules, and not those that this process has imported."""
    monkeypatch.setattr(sys, "path", [each for each in sys.path if each not in ("", str(TEMPLATE))])
    for name in ("answers", "names", "option_table"):
        monkeypatch.delitem(sys.modules, name, raising=False)


def test_it_takes_at_most_three_files_that_are_there_and_none_of_python() -> None:
    changed = {step.file for step in STEPS if not is_new(step)}
    assert "options.toml" in changed
    assert len(changed) <= 3
    assert not [file for file in changed if file.endswith(".py")]
    assert [step.file for step in STEPS if is_new(step)]


def test_a_service_without_it_has_no_trace_of_it(
    template: Path, tmp_path: Path, baked: dict[str, BakedProject]
) -> None:
    assert bake(tmp_path, template, **ANSWERS).contents() == baked["sqlite"].contents()


def test_a_service_with_it_has_its_files_and_works(
    template: Path, tmp_path: Path, baked: dict[str, BakedProject]
) -> None:
    project = bake(tmp_path, template, **ANSWERS, features="quality,heartbeat")
    others = {path for path in project.files if path.startswith("tests/load/")}
    assert project.files - baked["sqlite"].files - others == {
        "src/order_service/entrypoints/heartbeat.py",
        "src/order_service/settings/heartbeat.py",
        "tests/e2e/test_heartbeat.py",
    }
    project.run("ruff", "format", "--check", "--no-cache", "src/order_service", "tests/e2e")
    project.run("ruff", "check", "--no-cache", "src/order_service/settings", "tests/e2e")
    project.run("mypy")
    tests = (
        "tests/e2e/test_heartbeat.py",
        "tests/unit/test_config.py",
        "tests/unit/test_layers.py",
    )
    assert " passed" in project.run("pytest", "--quiet", *tests, PYTHONPATH="src")


def test_the_prompt_knows_it(template: Path, tmp_path: Path) -> None:
    with pytest.raises(
        FailedHookException, match="none, or some of heartbeat, kubernetes, quality"
    ):
        bake(tmp_path, template, features="?")
