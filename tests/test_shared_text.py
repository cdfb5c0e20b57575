"""The first aggregate and every later one have one text, in parts/aggregate."""

from __future__ import annotations

import re
from difflib import SequenceMatcher, ndiff
from pathlib import Path

import pytest

from shared_text import PART, NotThere, with_quotations

from .support import TEMPLATE, BakedProject, bake, own_config
from .test_parts import add

SERVICE = TEMPLATE / "{{cookiecutter.service_slug}}"
SHARED = sorted(
    path.relative_to(PART).as_posix()
    for path in PART.rglob("*.py")
    if "__pycache__" not in path.parts
)


def lines_of(path: Path) -> list[str]:
    return path.read_text().splitlines()


def named(path: str, project: BakedProject) -> str:
    names = {
        "__package": project.package,
        "__aggregate_snake": project.aggregate,
        "__plural_snake": project.plural,
    }
    return re.sub(r"{{cookiecutter\.(\w+)}}", lambda each: names[each[1]], path)


@pytest.mark.parametrize("path", SHARED, ids=lambda path: path.rpartition("}}/")[2])
def test_the_first_aggregate_quotes_each_file_of_the_part_and_repeats_none_of_it(path: str) -> None:
    """Three lines in a row that both hold are no coincidence."""
    written, shared = ([line for line in lines_of(at / path) if line] for at in (SERVICE, PART))
    assert "{{ aggregate_part.rest }}" in written
    matcher = SequenceMatcher(None, written, shared, autojunk=False)
    twice = matcher.find_longest_match()
    assert twice.size <= 2, written[twice.a : twice.a + twice.size]


def test_the_first_aggregate_is_what_the_part_makes_and_what_the_example_adds(
    tmp_path: Path, baked: dict[str, BakedProject]
) -> None:
    """A line of the part is missing only where the example has its own `instead_of` it."""
    first, grown = baked["zebra"], bake(tmp_path, service_name="Zoo", store="sqlite")
    added = add(grown.path, "aggregate", own_config(tmp_path), aggregate_name="Zebra")
    assert added.returncode == 0, added.stdout + added.stderr
    for path in SHARED:
        replaced = (SERVICE / path).read_text().count("{{ aggregate_part.instead_of(")
        first_lines, later_lines = (lines_of(at.path / named(path, first)) for at in (first, grown))
        missing = [line for line in ndiff(later_lines, first_lines) if line.startswith("- ")]
        assert len(missing) == replaced, f"{path}: {missing}"


def test_what_a_file_quotes_must_follow_in_the_part() -> None:
    path = next(path for path in SHARED if path.endswith("commands.py"))
    wrong = "{{ aggregate_part.through('data:') }}\n{{ aggregate_part.through('Create') }}\n"
    with pytest.raises(NotThere, match=r"quotes 'Create', which does not follow"):
        with_quotations(path, wrong)
