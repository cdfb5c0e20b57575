"""Renders the paths of files quickly.

cookiecutter.json loads this as a Jinja extension. Cookiecutter makes a template of each path, and compiling them is a
fifth of the time that a rendering takes. Paths differ in little but their last part, so that of a folder is compiled
once.
"""

from __future__ import annotations

import sys
from contextlib import suppress
from functools import cache
from importlib.util import cache_from_source
from pathlib import Path
from typing import Any, NamedTuple

from jinja2 import Environment, Template
from jinja2.ext import Extension


class PathTemplate(NamedTuple):
    """The template of a path whose last part is a plain name."""

    folder: Template
    name: str

    def render(self, **context: Any) -> str:
        return f"{self.folder.render(**context)}/{self.name}"


class Paths(Extension):
    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        compiled = environment.from_string
        compiled_once = cache(compiled)

        def from_string(source: str, *options: Any, **others: Any) -> Any:
            folder, slash, name = source.rpartition("/")
            if not slash or options or others or not {"{", "}", "\n"}.isdisjoint(name):
                return compiled(source, *options, **others)
            return PathTemplate(compiled_once(folder), name)

        # In this environment alone; cookiecutter asks nothing but `render` of what it returns.
        environment.from_string = from_string  # type: ignore[assignment,method-assign]
        # Another version of the template may be loaded next, see `answers`.
        sys.modules.pop(__name__, None)
        with suppress(OSError):
            Path(cache_from_source(__file__)).unlink()
