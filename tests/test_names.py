"""What holds no more than names renders as Jinja would render it."""

from __future__ import annotations

import pytest
from cookiecutter.utils import create_env_with_context
from jinja2 import DictLoader, Environment, UndefinedError

from names import FOLDER, Names

ANSWERS = {"a": "A", "description": "a { and a }", "service_slug": "a-service"}
SOURCES = [
    "src/{{ cookiecutter.a }}/{{cookiecutter.a}}.py",
    "{{ cookiecutter.description }}{{ cookiecutter.a | lower }}",
    "no name: {} } }}\n\n",
    "",
    "{% if cookiecutter.a == 'A' %}{{ cookiecutter.a }}{% endif %}\n",
    "{{ cookiecutter.a }}\n{%- if cookiecutter.b is defined %}b{% endif %}",
    "{ {{- cookiecutter.a }}_id}",
    "{{ {1: cookiecutter.a}[1] }}",
    "{# a note #}",
    "{{ cookiecutter.a }}\r\n",
    "{{ '}}' ~ cookiecutter.a }}",
    "{% include 'part' %}!",
]


@pytest.mark.parametrize("source", SOURCES)
def test_it_is_rendered_as_jinja_does(source: str) -> None:
    loader = DictLoader({"file": source, "part": "{{ cookiecutter.a }}"})
    jinja = Environment(keep_trailing_newline=True, loader=loader)
    quick = Environment(keep_trailing_newline=True, loader=loader, extensions=[Names])
    for one, other in (
        (quick.from_string(source), jinja.from_string(source)),
        (quick.get_template("file"), jinja.get_template("file")),
    ):
        assert one.render(cookiecutter=ANSWERS) == other.render(cookiecutter=ANSWERS)


def test_names_alone_are_not_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    quick = Environment(extensions=[Names])
    monkeypatch.setattr(quick, "compile", None)
    template = quick.from_string("src/{{cookiecutter.a}}/{{ cookiecutter.a }}.py")
    assert template.render(cookiecutter=ANSWERS) == "src/A/A.py"


def test_a_name_that_there_is_not_is_an_error() -> None:
    quick = create_env_with_context(
        {"cookiecutter": {"_extensions": [Names.__module__ + ".Names"]}}
    )
    with pytest.raises(UndefinedError, match="has no attribute 'nobody'"):
        quick.from_string("{{ cookiecutter.nobody }}").render(cookiecutter=ANSWERS)


def test_a_file_that_was_not_chosen_has_an_empty_name_when_the_folder_has_its() -> None:
    quick = Environment(extensions=[Names])
    quick.filters["problem"] = lambda _answers: ""
    quick.filters["plan"] = lambda _answers: {"delete": ["A/folder", "A/file.py"]}
    paths = ["{{cookiecutter.a}}/file.py", "A/file.pyi", "A/folder/x/y.py", "A/folders/y.py"]

    def rendered() -> list[str]:
        return [quick.from_string(path).render(cookiecutter=ANSWERS) for path in paths]

    assert rendered() == ["A/file.py", *paths[1:]]
    assert quick.from_string(FOLDER).render(cookiecutter=ANSWERS) == "a-service"
    assert rendered() == ["", "A/file.pyi", "", "A/folders/y.py"]
