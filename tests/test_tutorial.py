"""The tutorial and the how-tos are followed to the letter, by somebody with an empty folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from .pages import Command, Reader, Step, commands, pattern, steps
from .support import TEMPLATE

DOCS = TEMPLATE / "docs"
HOW_TOS = sorted(page for page in DOCS.glob("how-to/*.md") if steps(page))


def test_the_tutorial(tmp_path: Path) -> None:
    Reader(tmp_path).follow(DOCS / "tutorial.md")


@pytest.mark.slow
def test_after_the_tutorial_all_tests_of_the_service_pass(tmp_path: Path) -> None:
    Reader(tmp_path, tests="").follow(DOCS / "tutorial.md")


@pytest.mark.parametrize("page", HOW_TOS, ids=lambda page: page.stem)
def test_a_how_to(tmp_path: Path, page: Path) -> None:
    """Each of them begins in a fresh service."""
    reader = Reader(tmp_path)
    render = "cookiecutter gh:org/cookiecutter-driven-microservice --no-input store=sqlite"
    reader.run(Step(page, 0, "console", "", ""), Command(f"{render} && cd order-service", ""))
    reader.follow(page)
