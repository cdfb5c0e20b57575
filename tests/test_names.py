"""What holds no more than names renders as Jinja would render it."""

from __future__ import annotations

import pytest
from jinja2 import DictLoader, Environment

from names import Names, Pieces

QUICK = [
    "src/{{ a }}/name.py",
    "{{ a }}",
    "{{ 'p/q' ~ a }}/name",
    "{{ a | upper }}{{ a }}",
    "no name: {} } }}\n\n",
    "",
]
JINJA = [
    "{% if a %}p/q{% endif %}",
    "{ {{- a }}_id}",
    "{{{ 1: a }[1] }}",
    "{{ {1: a}[1] }}",
    "{# a note #}",
    "{{ a }}\r\n",
    "{{a}}",
    "{{ '}}' ~ a }}",
]


@pytest.mark.parametrize("is_kept", [True, False])
@pytest.mark.parametrize("source", QUICK + JINJA)
def test_it_is_rendered_as_jinja_does(source: str, is_kept: bool) -> None:
    loader = DictLoader({"file": source})
    jinja = Environment(keep_trailing_newline=is_kept, loader=loader)
    quick = Environment(keep_trailing_newline=is_kept, loader=loader, extensions=[Names])
    for one, other in (
        (quick.from_string(source), jinja.from_string(source)),
        (quick.get_template("file"), jinja.get_template("file")),
    ):
        assert one.render(a="A") == other.render(a="A")
        assert isinstance(one, Pieces) == (source in QUICK and (is_kept or source[-1:] != "\n"))


def test_a_template_may_include_another() -> None:
    texts = {"whole": "{% include 'part' %}!", "part": "{{ a }}"}
    quick = Environment(extensions=[Names], loader=DictLoader(texts))
    assert quick.get_template("whole").render(a="A") == "A!"
