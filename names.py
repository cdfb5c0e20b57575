"""Renders quickly what holds no more of Jinja than names.

cookiecutter.json loads this as a Jinja extension. Cookiecutter makes a template of each file and of each path, and
compiling them takes most of the time of a rendering. Nearly all hold nothing but expressions between their text, and
there are only some dozens of different ones: here each is compiled once.
"""

from __future__ import annotations

import re
import sys
from contextlib import suppress
from functools import cache
from importlib.util import cache_from_source
from pathlib import Path
from typing import Any, NamedTuple

from jinja2 import Environment, Template
from jinja2.ext import Extension

import shared_text

EXPRESSION = re.compile(r"({{ [^{}\n]+ }})")
MORE = re.compile(r"{[{%#]|{\Z|\r")
"""What Jinja does not leave as it is, beside such expressions."""


class Pieces(NamedTuple):
    """A template as its texts, each but the last with the expression that comes after it."""

    texts: list[str]
    expressions: list[Template]

    def render(self, **context: Any) -> str:
        values = [expression.render(context) for expression in self.expressions]
        return "".join(
            part for pair in zip(self.texts, [*values, ""], strict=True) for part in pair
        )


class Names(Extension):
    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        compiled, loaded = environment.from_string, environment.get_template
        compiled_once = cache(compiled)

        def pieces(source: str) -> Pieces | None:
            parts = EXPRESSION.split(source)
            is_cut = source.endswith("\n") and not environment.keep_trailing_newline
            if is_cut or any(map(MORE.search, parts[::2])):
                return None
            return Pieces(parts[::2], [compiled_once(expression) for expression in parts[1::2]])

        def from_string(source: str, *options: Any, **others: Any) -> Any:
            quick = None if options or others else pieces(source)
            return quick or compiled(source, *options, **others)

        def get_template(name: str, *options: Any, **others: Any) -> Any:
            if options or others or environment.loader is None:  # a template includes it
                return loaded(name, *options, **others)
            written = environment.loader.get_source(environment, name)[0]
            source = shared_text.with_quotations(name, written)
            return pieces(source) or (loaded(name) if source == written else compiled(source))

        # In this environment alone. mypy is right that `Pieces` is no `Template`, but cookiecutter asks nothing but
        # `render` of what they return.
        environment.from_string = from_string  # type: ignore[assignment,method-assign]
        environment.get_template = get_template  # type: ignore[assignment,method-assign]
        # Another version of the template may be loaded next, see `answers`.
        for module, file in ((__name__, __file__), (shared_text.__name__, shared_text.__file__)):
            sys.modules.pop(module, None)
            with suppress(OSError):
                Path(cache_from_source(file)).unlink()
