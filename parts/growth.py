"""What the parts share. A part is rendered into an existing service, from within its folder.

The names come from the service itself. A part adds one line in each place to the files of the
service.
"""

from __future__ import annotations

import keyword
import re
import sys
import tomllib
from collections.abc import Callable, Mapping
from itertools import chain, count
from pathlib import Path

from jinja2 import Environment

sys.path.insert(0, str(Path(__file__).parents[1]))
from wiring import Change, NoPlace, wired

import answers
from answers import InvalidAnswer

EXAMPLES = {
    "command_name": "CancelOrder",
    "event_name": "OrderCancelled",
    "projection_name": "OrderSummary",
}
LIKE = {  # the prompts whose rules apply, where the template has no prompt of that name
    "projection_plural": ("projection_name", "aggregate_plural"),
    "external_name": ("", "aggregate_name"),
    "external_plural": ("external_name", "aggregate_plural"),
}


def service_folder(_answers: Mapping[str, str]) -> str:
    """The name of the service's folder, which is the current directory."""
    _project()
    return Path.cwd().name


def service_package(_answers: Mapping[str, str]) -> str:
    """The package of the service."""
    (package,) = (path.parent.name for path in Path.cwd().glob("src/*/bootstrap.py"))
    return package


def fitting(given: Mapping[str, str], prompt: str) -> str:
    """The answer, if the service does not use this name yet. Raises `InvalidAnswer`."""
    name = _well_formed(given, prompt)
    if reason := _taken(given, prompt, name):
        raise InvalidAnswer(
            f"{prompt} {name!r} is refused: {reason}. A valid example: {_free(given, prompt, name)}"
        )
    return name


def there(given: Mapping[str, str], prompt: str) -> str:
    """The answer, if it names an aggregate of the service. Raises `InvalidAnswer`."""
    package = Path("src", service_package(given))
    name = str(given[prompt])
    folders = sorted(path.parent for path in package.glob("domain/*/aggregate.py"))
    if answers.snake_case(answers.class_name(name)) in {folder.name for folder in folders}:
        return name
    known = ", ".join(answers.class_name(answers.words(folder.name)) for folder in folders)
    raise InvalidAnswer(f"{prompt} {name!r} is refused: the service has {known}")


def without(command: str, aggregate: str) -> str:
    """The method name for a command: `cancel` for `cancel_order` of the aggregate `order`."""
    method = command.removesuffix(f"_{aggregate}")
    return f"{method}_it" if keyword.iskeyword(method) or method == command == aggregate else method


def _well_formed(given: Mapping[str, str], prompt: str) -> str:
    """The answer, if it is a valid name. Raises `InvalidAnswer`."""
    if prompt not in EXAMPLES:
        singular, rule = LIKE.get(prompt, ("", prompt))
        return answers.checked(
            {**given, "aggregate_name": given[singular]} if singular else given, prompt, rule
        )
    name = str(given[prompt])
    if not re.fullmatch(r"(?=.{2,40}$)[A-Z][A-Za-z0-9]*[a-z0-9]", name) or keyword.iskeyword(name):
        raise InvalidAnswer(
            f"{prompt} {name!r} is refused: it must be a class name of at most 40 letters and "
            f"digits. A valid example: {EXAMPLES[prompt]}"
        )
    return name


def _free(given: Mapping[str, str], prompt: str, name: str) -> str:
    """A name that the service does not use yet: the usual example, or the answer with a number."""
    numbered = (f"{name[:20]}{number}" for number in count(2))
    names = chain([EXAMPLES[prompt]] if prompt in EXAMPLES else [], numbered)
    return next(each for each in names if not _taken(given, prompt, each))


def _taken(given: Mapping[str, str], prompt: str, name: str) -> str:
    """What in the service has this name already, or a name derived from it; empty if nothing
    has."""
    package = Path("src", service_package(given))
    snake = answers.snake_case(answers.class_name(name))
    plural = answers.package_name(name)
    api = package / "entrypoints/api"
    match prompt:
        case "aggregate_name":
            domain, service = package / "domain" / snake, package / "service" / snake
            adapter = package / f"adapters/{snake}.py"
            return _exists(domain, service, service.with_suffix(".py"), adapter)
        case "aggregate_plural":
            return _exists(api / f"{plural}.py")
        case "command_name":
            return _class_in(package, "domain/*/commands.py", name) or _method_in(
                package / "domain" / _aggregate(given) / "aggregate.py",
                without(answers.snake_case(name), _aggregate(given)),
            )
        case "event_name":
            return _class_in(package, "domain/*/events.py", name)
        case "projection_name":
            of_queries = "service/*/*.py"
            names = (name, f"{name}Row", f"{name}State", f"Get{name}", f"Get{name}List")
            found = (_class_in(package, of_queries, each) for each in names)
            return next(filter(None, found), "") or _imported(package, name)
        case "projection_plural":
            module, test = api / f"{plural}.py", Path(f"tests/e2e/test_{plural}.py")
            return (
                _exists(package / "service" / _aggregate(given) / f"{plural}.py", module, test)
                or _text_in(package, "service/*/*.py", f'name="{plural}"')
                or _text_in(package, "entrypoints/api/*.py", f'prefix="/{name}"')
            )
        case "external_name":
            return _imported(package, answers.class_name(name))
        case "external_plural":
            places = ("adapters", "service/ports", "settings")
            modules = [package / place / f"{plural}.py" for place in places]
            folders = [package / place / plural for place in (*places, "domain")]
            fields = [f"    {plural}_{field}: " for field in ("url", "timeout_seconds")]
            found = (
                _text_in(package, where, field)
                for where in ("config.py", "settings/*.py")
                for field in fields
            )
            test = Path(f"tests/integration/test_{plural}.py")
            return _exists(*folders, *modules, test) or next(filter(None, found), "")
    raise LookupError(prompt)


def _aggregate(given: Mapping[str, str]) -> str:
    return answers.snake_case(answers.class_name(given["aggregate_name"]))


def _exists(*paths: Path) -> str:
    return next((f"the service has {path} already" for path in paths if path.exists()), "")


def _text_in(package: Path, modules: str, text: str) -> str:
    found = (path for path in sorted(package.glob(modules)) if text in path.read_text("utf-8"))
    return next((f"{path} has {text.strip(': ')} already" for path in found), "")


def _class_in(package: Path, modules: str, name: str) -> str:
    for path in sorted(package.glob(modules)):
        if re.search(rf"^(class )?{name}\b", path.read_text("utf-8"), re.MULTILINE):
            return f"{path} has {name} already"
    return ""


def _method_in(path: Path, method: str) -> str:
    has = re.search(rf"^    def {method}\b", path.read_text("utf-8"), re.MULTILINE)
    return f"{path} has a method {method} already" if has else ""


def _imported(package: Path, name: str) -> str:
    """What the new modules import under this name; empty if nothing."""
    bus = (package / "bus/__init__.py").read_text("utf-8")
    of_the_bus = re.search(rf"\b{name}\b", bus) or name in {"Literal", "Protocol"}
    return f"the bus, or Python, has a {name}" if of_the_bus else ""


def _project() -> Mapping[str, object]:
    path = Path.cwd() / "pyproject.toml"
    if not path.is_file() or not list(Path.cwd().glob("src/*/bus/__init__.py")):
        raise InvalidAnswer(
            f"{Path.cwd()} is not the folder of a service: run this where its pyproject.toml is"
        )
    project: Mapping[str, object] = tomllib.loads(path.read_text())["project"]
    return project


class Growth(answers.Answers):
    """The filters of a part's cookiecutter.json. A part says with `prompts` where that is, and with
    `changes` what it adds to the files of the service."""

    changes: Callable[[Mapping[str, str]], list[Change]]

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        for function in (
            service_folder,
            service_package,
            answers.asking(fitting, self.default),
            answers.asking(there, self.default),
            self.placed,
            without,
        ):
            environment.filters[function.__name__] = function

    def placed(self, names: Mapping[str, str]) -> str:
        """Nothing, if the service has a place for each addition. Raises `InvalidAnswer`, before
        anything is written."""
        try:
            wired(self.changes(names))
        except NoPlace as missing:
            raise InvalidAnswer(str(missing)) from None
        return ""
