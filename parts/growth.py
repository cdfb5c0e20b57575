"""What the parts share: they are rendered into a service that is there, run from within its folder.

The names come from the service itself; what a part adds to a file of the service is one line a place.
"""

from __future__ import annotations

import keyword
import re
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path

from jinja2 import Environment
from jinja2.ext import Extension

sys.path.insert(0, str(Path(__file__).parents[1]))
import answers
from answers import InvalidAnswer

CLASSES = {
    "command_name": ("commands", "CancelOrder"),
    "event_name": ("events", "OrderCancelled"),
}


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
    if prompt in CLASSES:
        return _new_class(given, prompt)
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


def there(given: Mapping[str, str], prompt: str) -> str:
    """The answer, if it names an aggregate that the service has."""
    package = Path("src", service_package(given))
    name = str(given[prompt])
    folders = sorted(path.parent for path in package.glob("domain/*/aggregate.py"))
    if answers.snake_case(answers.class_name(name)) in {folder.name for folder in folders}:
        return name
    known = ", ".join(answers.class_name(answers.words(folder.name)) for folder in folders)
    raise InvalidAnswer(f"{prompt} {name!r} is refused: the service has {known}")


def without(command: str, aggregate: str) -> str:
    """A method for the command: `cancel` for `cancel_order` of the aggregate `order`."""
    method = command.removesuffix(f"_{aggregate}")
    return f"{method}_it" if keyword.iskeyword(method) or method == command == aggregate else method


def _new_class(given: Mapping[str, str], prompt: str) -> str:
    """The answer, if it can be a new class in the aggregate's file of commands or events."""
    name = str(given[prompt])
    snake = answers.snake_case(answers.class_name(given["aggregate_name"]))
    module, example = CLASSES[prompt]
    if not re.fullmatch(r"(?=.{2,40}$)[A-Z][A-Za-z0-9]*[a-z0-9]", name) or keyword.iskeyword(name):
        raise InvalidAnswer(
            f"{prompt} {name!r} is refused: it must be a class name of at most 40 letters and "
            f"digits. A valid example: {example}"
        )
    folder = Path("src", service_package(given), "domain")
    for path in sorted(folder.glob(f"*/{module}.py")):
        if re.search(rf"^class {name}\b", path.read_text(), re.MULTILINE):
            raise InvalidAnswer(f"{prompt} {name!r} is refused: {path} has it already")
    if prompt == "command_name":
        method = without(answers.snake_case(name), snake)
        aggregate = folder / snake / "aggregate.py"
        if re.search(rf"^    def {method}\b", aggregate.read_text(), re.MULTILINE):
            raise InvalidAnswer(
                f"{prompt} {name!r} is refused: {aggregate} has a method {method} already"
            )
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
            answers.asking(fitting),
            answers.asking(there),
            without,
            answers.class_name,
            answers.package_name,
            answers.plural,
            answers.snake_case,
            answers.words,
        ):
            environment.filters[function.__name__] = function
        answers.Answers(environment)  # slugify and the like stay cookiecutter's own
