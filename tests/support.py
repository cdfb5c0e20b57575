"""Rendering the template, and looking at what came out."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from cookiecutter.main import cookiecutter

from option_table import FEATURES

TEMPLATE = Path(__file__).resolve().parent.parent
ENVIRONMENT = Path(sys.executable).parent
LEFT_BY_TOOLS = frozenset(
    ".git .venv __pycache__ .mypy_cache .pytest_cache .ruff_cache .hypothesis var".split()
)

# Combinations that differ in what can go wrong: every store on every platform; names that sort before, between and
# after their neighbours; the longest name, with a plural that no rule makes; awkward prose.
COMBINATIONS: dict[str, dict[str, str]] = {
    "defaults": {},
    "postgres": {"store": "postgres", "platform": "lambda", "auth": "jwt"},
    "sqlite": {"store": "sqlite", "license": "Proprietary"},
    "apple": {
        "service_name": "Fruit",
        "aggregate_name": "Apple",
        "python_version": "3.14",
        "platform": "server",
        "features": "kubernetes",
    },
    "zebra": {
        "service_name": "Zoo",
        "aggregate_name": "Zebra",
        "store": "postgres",
        "license": "Apache-2.0",
        "features": " , ".join(FEATURES).title(),
    },
    "longest": {
        "service_name": "Élan vital No. 2",
        "service_slug": "elan-vital-number-two-and-forty-letters1",
        "aggregate_name": "InternationalTradePerson",
        "aggregate_plural": "international-trade-people",
        "description": 'Keeps "people\'s" data – naïve, 100 % \\o/ <b>& #1</b>: $HOME {x} `y`"',
        "author_name": 'Zoë "Zed" O\'Neill \\ Søn, 李',
    },
}


PROMPTS: dict[str, str | list[str]] = json.loads((TEMPLATE / "cookiecutter.json").read_text())
CHOICES: dict[str, list[str]] = {
    name: choices
    for name, choices in PROMPTS.items()
    if isinstance(choices, list) and name[0] != "_"
}
"""The prompts that are a choice; the first one is the default."""


@dataclass(frozen=True)
class BakedProject:
    path: Path
    answers: Mapping[str, str]
    package: str
    aggregate: str
    plural: str

    @property
    def store(self) -> str:
        return self.answers["store"]

    @property
    def files(self) -> set[str]:
        """The paths of all files, below the project."""
        return set(self.contents())

    def walk(self) -> Iterator[Path]:
        """All files, without what tools have left."""
        for each in sorted(self.path.rglob("*")):
            if each.is_file() and not LEFT_BY_TOOLS.intersection(each.relative_to(self.path).parts):
                yield each

    def contents(self) -> dict[str, bytes]:
        return {each.relative_to(self.path).as_posix(): each.read_bytes() for each in self.walk()}

    def run(self, *command: str, **settings: str) -> str:
        """The output of a command that succeeds, with the tools of the template's environment."""
        path = f"{ENVIRONMENT}{os.pathsep}{os.environ['PATH']}"
        outcome = subprocess.run(
            command,
            cwd=self.path,
            env=os.environ | {"PATH": path} | settings,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        assert outcome.returncode == 0, f"{' '.join(command)}\n{outcome.stdout}"
        return outcome.stdout


def own_config(folder: Path) -> Path:
    """Cookiecutter's settings for one test, apart from those of whoever runs it."""
    config = folder / "cookiecutter.yaml"
    config.write_text(
        f"cookiecutters_dir: {folder / 'cookiecutters'}\nreplay_dir: {folder / 'replay'}\n"
    )
    return config


def complete(answers: Mapping[str, str]) -> dict[str, str]:
    """What chooses options: the answers, and the defaults of the others."""
    defaults = {name: choices[0] for name, choices in CHOICES.items()}
    platform = "lambda" if answers.get("store", defaults["store"]) == "dynamodb" else "server"
    return {**defaults, "platform": platform, "features": "none", **answers}


def bake(folder: Path, template: str | Path = TEMPLATE, **answers: str) -> BakedProject:
    project = Path(
        cookiecutter(
            str(template),
            no_input=True,
            extra_context=answers,
            output_dir=str(folder / "out"),
            config_file=str(own_config(folder)),
        )
    )
    (package,) = (each.name for each in (project / "src").iterdir())
    (aggregate,) = (
        each.name for each in (project / "src" / package / "domain").iterdir() if each.is_dir()
    )
    answered = answers.get("aggregate_plural", aggregate.replace("_", "-") + "s")
    return BakedProject(
        path=project,
        answers=complete(answers),
        package=package,
        aggregate=aggregate,
        plural=answered.replace("-", "_"),
    )
