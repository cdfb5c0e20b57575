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
