"""Paths render as Jinja would render them, whole."""

from __future__ import annotations

import pytest
from jinja2 import Environment

from paths import Paths, PathTemplate

PLAIN = ["src/{{ a }}/name.py", "/{{ a }}/x", "tests/unit/test_it.py", "{{ 'p/q' ~ a }}/name"]
WHOLE = [
    "{{ a }}",
    "src/{{ a }}",
    "{{ 'p/q' ~ a }}",
    "{% if a %}p/q{% endif %}",
    "{{ a }}/b\n",
    "x",
]


@pytest.mark.parametrize("path", PLAIN + WHOLE)
def test_a_path_is_rendered_as_jinja_does(path: str) -> None:
    quick = Environment(extensions=[Paths]).from_string(path)
    assert quick.render(a="A") == Environment().from_string(path).render(a="A")
    assert isinstance(quick, PathTemplate) == (path in PLAIN)
