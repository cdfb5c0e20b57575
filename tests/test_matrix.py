"""Every combination of options comes out whole and clean: pairs of them at each run, more in the slow one."""

from __future__ import annotations

from itertools import combinations, product
from pathlib import Path

import pytest

from answers import RULES, InvalidAnswer, checked
from option_table import FEATURES

from . import support
from . import test_rendering as rendering
from .support import BakedProject, bake

Combination = dict[str, str]
LOOKED_AT = [
    rendering.test_exactly_the_files_of_the_tree_and_of_what_was_chosen_are_rendered,
    rendering.test_nothing_is_left_unrendered,
    rendering.test_nothing_is_left_of_what_was_not_chosen,
    rendering.test_the_chosen_python_is_what_runs_it_everywhere,
    rendering.test_no_folder_is_empty,
    rendering.test_every_configuration_file_parses,
    rendering.test_formatting_and_lint_are_clean_as_rendered,
]


def make_sense(combination: Combination) -> bool:
    try:
        return all(checked(combination, name) for name in RULES.keys() & combination.keys())
    except InvalidAnswer:
        return False


CHOICES = {**support.CHOICES, "platform": ["lambda", "server"], "features": ["none", *FEATURES]}
ALL = [
    combination
    for choices in product(*CHOICES.values())
    if make_sense(combination := dict(zip(CHOICES, choices, strict=True)))
]


def pairs(combination: Combination) -> set[tuple[tuple[str, str], ...]]:
    return set(combinations(combination.items(), 2))


def pairwise() -> list[Combination]:
    """Some of them, that hold together every pair of options which any of them holds."""
    chosen: list[Combination] = []
    left = set().union(*map(pairs, ALL))
    while left:
        best = max(ALL, key=lambda each: len(left & pairs(each)))
        chosen.append(best)
        left -= pairs(best)
    return chosen


def name_of(combination: Combination) -> str:
    return "-".join(combination.values())


@pytest.mark.parametrize("combination", pairwise(), ids=name_of)
def test_each_pair_of_options_comes_out_clean(tmp_path: Path, combination: Combination) -> None:
    look_at(bake(tmp_path, **combination))


# These two are a file and a number, which no other option reads: they are tried in pairs with each.
APART = ("license", "python_version")
TOGETHER = [each for each in ALL if all(each[name] == CHOICES[name][0] for name in APART)]


@pytest.mark.slow
@pytest.mark.parametrize("combination", TOGETHER, ids=name_of)
def test_each_combination_comes_out_clean(tmp_path: Path, combination: Combination) -> None:
    look_at(bake(tmp_path, **combination))


@pytest.mark.slow
@pytest.mark.parametrize("auth", CHOICES["auth"][1:])
def test_the_tests_that_read_what_is_deployed_pass(
    baked: dict[str, BakedProject], tmp_path: Path, auth: str
) -> None:
    """The other tests, and mypy, read no file that differs."""
    project = bake(tmp_path, auth=auth)
    tests = "tests/integration/test_permissions.py"
    assert " passed" in project.run("pytest", "--quiet", tests, PYTHONPATH="src")
    without, contents = baked["defaults"].contents(), project.contents()
    assert without.keys() == contents.keys()
    changed = {path for path in contents if contents[path] != without[path]}
    assert not [path for path in changed if path.endswith(".py")], changed


def look_at(project: BakedProject) -> None:
    for look in LOOKED_AT:
        look(project)
