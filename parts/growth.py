"""What the parts share: they are rendered into a service that is there, run from within its folder.

The names come from the service itself; what a part adds to a file of the service is one line a place.
"""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path

from jinja2 import Environment
from jinja2.ext import Extension

sys.path.insert(0, str(Path(__file__).parents[1]))
import answers
from answers import InvalidAnswer


def service_folder(_answers: Mapping[str, str]) -> str:
    """The name of the folder of the service, which is the one that this runs in."""
    _project()
    return Path.cwd().name


def service_package(_answers: Mapping[str, str]) -> str:
    """The package of the service."""
    (package,) = (path.parent.name for path in Path.cwd().glob("src/*/bootstrap.py"))
    return package


def fitting(given: Mapping[str, str], prompt: str) -> str:
    """The answer, if it is a name that the service has not given to anything yet."""
    name = answers.checked(given, prompt)
    snake = answers.snake_case(answers.class_name(name))
    package = Path("src", service_package(given))
    taken = {
        "aggregate_name": [package / "domain" / snake, package / "service" / snake],
        "aggregate_plural": [package / f"entrypoints/api/{answers.package_name(name)}.py"],
    }
    for path in taken[prompt]:
        if path.exists():
            raise InvalidAnswer(f"{prompt} {name!r} is refused: the service has {path} already")
    return name


def _project() -> Mapping[str, object]:
    path = Path.cwd() / "pyproject.toml"
    if not path.is_file() or not list(Path.cwd().glob("src/*/bus/message_bus.py")):
        raise InvalidAnswer(
            f"{Path.cwd()} is not the folder of a service: run this where its pyproject.toml is"
        )
    project: Mapping[str, object] = tomllib.loads(path.read_text())["project"]
    return project


class Growth(Extension):
    """The filters of a part's cookiecutter.json."""

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        for function in (
            service_folder,
            service_package,
            fitting,
            answers.class_name,
            answers.package_name,
            answers.plural,
            answers.snake_case,
            answers.words,
        ):
            environment.filters[function.__name__] = function
        answers.Answers(environment)  # slugify and the like stay cookiecutter's own
