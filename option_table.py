"""The options of the template, as options.toml lists them: which are chosen, and what follows."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, TypedDict

TABLE = Path(__file__).with_name("options.toml")

Answers = Mapping[str, str]
Condition = Mapping[str, Sequence[str]]
"""Prompts, and the values of each that meet it. All of the prompts must have one of theirs."""


class Exclusion(TypedDict):
    when: Condition
    because: str


class Option(NamedTuple):
    """A row of options.toml, which describes the fields."""

    when: Condition
    about: str
    files: Sequence[str] = ()
    variants: Mapping[str, str] = {}
    lines: Sequence[Sequence[str]] = ()
    words: str = ""
    excludes: Sequence[Exclusion] = ()

    def is_chosen(self, answers: Answers) -> bool:
        return is_met(self.when, answers)


class Plan(TypedDict):
    """What the hook does, in this order, with paths below the service's folder."""

    delete: list[str]
    rename: list[tuple[str, str]]
    add: list[tuple[str, str, str]]


OPTIONS = [Option(**row) for row in tomllib.loads(TABLE.read_text("utf-8"))["option"]]
FEATURES = sorted({name for option in OPTIONS for name in option.when.get("features", ())})
"""The values of the prompt `features`."""


def answered(answers: Answers, prompt: str) -> set[str]:
    """The values of an answer: any number of features, one of any other prompt."""
    answer = answers.get(prompt, "")
    return (
        {each.strip().lower() for each in answer.split(",")} if prompt == "features" else {answer}
    )


def is_met(condition: Condition, answers: Answers) -> bool:
    """Whether each of its prompts was answered with one of its values."""
    return all(
        answered(answers, prompt).intersection(values) for prompt, values in condition.items()
    )


def objection(answers: Answers, prompt: str) -> str:
    """Why the answer to the prompt cannot be combined with the answers before it; empty if it
    can."""
    for option in OPTIONS:
        if prompt in option.when and option.is_chosen(answers):
            for exclusion in option.excludes:
                if is_met(exclusion["when"], answers):
                    subject = f"has {', '.join(option.when[prompt])}, which "
                    return (subject if prompt == "features" else "") + exclusion["because"]
    return ""


def plan(answers: Answers) -> Plan:
    """What makes the service that was chosen out of one that has everything."""
    names = {
        "package": answers["__package"],
        "aggregate": answers["__aggregate_snake"],
        "plural": answers["__plural_snake"],
    }
    chosen = [option for option in OPTIONS if option.is_chosen(answers)]
    others = [option for option in OPTIONS if option not in chosen]
    deleted = {path.format(**names) for each in others for path in (*each.files, *each.variants)}
    return {
        "delete": sorted(deleted, reverse=True),  # a file before the folder that holds it
        "rename": [
            (variant.format(**names), path.format(**names))
            for option in chosen
            for variant, path in option.variants.items()
        ],
        "add": [
            (path.format(**names), opening, line)
            for option in chosen
            for path, opening, line in option.lines
        ],
    }
