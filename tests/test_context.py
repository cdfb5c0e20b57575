"""The context of a message can grow: a new field of it is one line, in one class, and in no store."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from .support import COMBINATIONS, BakedProject, bake

FIELD = "    depth: int = 0\n"
NEW_FIELD = "    locale: str | None = None\n"


@pytest.fixture(
    params=[
        "sqlite",
        *(pytest.param(name, marks=pytest.mark.slow) for name in ("defaults", "postgres")),
    ]
)
def grown(request: pytest.FixtureRequest, tmp_path: Path) -> BakedProject:
    """A service whose context has one field more."""
    project = bake(tmp_path, **COMBINATIONS[request.param])
    context = project.path / f"src/{project.package}/bus/model/context.py"
    text = context.read_text()
    assert text.count(FIELD) == 1
    context.write_text(text.replace(FIELD, FIELD + NEW_FIELD))
    return project


def test_a_new_field_is_kept_inherited_and_exported_by_every_store(grown: BakedProject) -> None:
    """The contract suite gives every field a value of its own, this one too."""
    suites = [f"tests/bus/contract/test_{name}.py" for name in ("memory", "sqlite", grown.store)]
    passed = grown.run(
        "pytest", "--quiet", *dict.fromkeys(suites), "-k", "context", PYTHONPATH="src"
    )
    assert " passed" in passed
    assert " failed" not in passed
    grown.run("mypy", "src")


def test_no_store_names_a_field_of_the_context(project: BakedProject) -> None:
    """But for the correlation id, which is a column of its own on SQL."""
    fields = ("causation_id", "actor", "tenant", "traceparent", "depth")
    for path in (project.path / f"src/{project.package}/adapters").rglob("*.py"):
        assert not [name for name in fields if re.search(rf"\b{name}\b", path.read_text())], path
