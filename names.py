"""Puts names into files and paths without Jinja, and passes over the files that were not chosen.

cookiecutter.json loads this as a Jinja extension. Cookiecutter makes a template of each file and of each path, and
compiling them would take most of the time of a rendering. Nearly all hold nothing but names, as
`{{ cookiecutter.store }}`: these are replaced first, and only what then still holds Jinja is compiled.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from contextlib import suppress
from importlib.util import cache_from_source
from pathlib import Path
from typing import Any, NamedTuple

from cookiecutter.exceptions import FailedHookException
from jinja2 import Environment
from jinja2.ext import Extension

import shared_text

FOLDER = "{{cookiecutter.service_slug}}"
NAME = re.compile(r"{{ ?cookiecutter\.(\w+) ?}}")
JINJA = re.compile(r"{[{%#]|\r")
"""What Jinja does not leave as it is. No answer holds it (`answers.RULES`)."""


class Text(NamedTuple):
    """A template, as far as cookiecutter needs one. It has no names within `{% raw %}`."""

    environment: Environment
    source: str
    file: str | None = None

    def render(self, **context: Any) -> str:
        def value(name: re.Match[str]) -> str:
            return str(self.environment.getattr(context["cookiecutter"], name[1]))

        text = NAME.sub(value, self.source)
        if not JINJA.search(text):
            return text
        code = self.environment.compile(text, self.file, self.file)
        jinja = self.environment.template_class.from_code(
            self.environment, code, self.environment.make_globals(None)
        )
        return jinja.render(context)


class FileName(NamedTuple):
    """The template of a file's path, which is empty if the file is another's: cookiecutter then writes none."""

    path: Text
    others: tuple[str, ...]

    def render(self, **context: Any) -> str:
        path = self.path.render(**context)
        return "" if f"{path}/".startswith(self.others) else path


class Folder(NamedTuple):
    """The template of the service's folder: the first that cookiecutter renders when it has all answers."""

    names: Names
    path: Text

    def render(self, **context: Any) -> str:
        self.names.begin(context["cookiecutter"])
        return self.path.render(**context)


class Names(Extension):
    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        self.others: tuple[str, ...] = ()
        """The paths that options own which were not chosen, with a slash at their ends."""
        self.loaded = environment.get_template
        # In this environment alone. mypy is right that `Text` is no `Template`, but cookiecutter asks nothing but
        # `render` of what they return.
        environment.from_string = self.from_string  # type: ignore[assignment,method-assign]
        environment.get_template = self.get_template  # type: ignore[assignment,method-assign]
        # Another version of the template may be loaded next, see `answers`.
        for module, path in ((__name__, __file__), (shared_text.__name__, shared_text.__file__)):
            sys.modules.pop(module, None)
            with suppress(OSError):
                Path(cache_from_source(path)).unlink()

    def from_string(self, source: str) -> Text | FileName | Folder:
        if source == FOLDER:
            return Folder(self, Text(self.environment, source))
        return FileName(Text(self.environment, source), self.others)

    def get_template(self, file: str, *options: Any, **others: Any) -> Any:
        loader = self.environment.loader
        if options or others or loader is None:  # a template includes it
            return self.loaded(file, *options, **others)
        source, *_ = loader.get_source(self.environment, file)
        return Text(self.environment, shared_text.with_quotations(file, source), file)

    def begin(self, answers: Mapping[str, str]) -> None:
        """Refuses wrong answers that the prompts did not check: they come from a replay file, or were given by hand
        for a private variable."""
        if refusal := self.environment.filters["problem"](answers):
            raise FailedHookException(refusal)
        self.others = tuple(
            f"{path}/" for path in self.environment.filters["plan"](answers)["delete"]
        )
