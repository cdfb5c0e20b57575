"""The tutorial and the how-tos are followed to the letter, by somebody with an empty folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from .pages import Command, Reader, Step, steps
from .support import TEMPLATE

DOCS = TEMPLATE / "docs"
HOW_TOS = sorted(page for page in DOCS.glob("how-to/*.md") if steps(page))
LONG = {
    "add-an-option",
    "coordinate-aggregates",
    "deploy-a-new-release",
    "fan-out",
    "replace-the-example",
}
"""They take as long as all others together."""


def test_the_tutorial(tmp_path: Path) -> None:
    Reader(tmp_path).follow(DOCS / "tutorial.md")


@pytest.mark.slow
def test_after_the_tutorial_the_tests_of_the_service_pass(tmp_path: Path) -> None:
    """Not those in `tests/bus`, which know nothing of orders."""
    Reader(tmp_path, tests="--numprocesses=2 --ignore=tests/bus").follow(DOCS / "tutorial.md")


@pytest.mark.parametrize(
    "page",
    [
        pytest.param(page, marks=pytest.mark.slow if page.stem in LONG else (), id=page.stem)
        for page in HOW_TOS
    ],
)
def test_a_how_to(tmp_path: Path, page: Path) -> None:
    follow_in_a_fresh_service(Reader(tmp_path), page)


def test_where_there_is_no_curl_something_else_does(tmp_path: Path) -> None:
    follow_in_a_fresh_service(Reader(tmp_path, curl=False), DOCS / "how-to/move-between-stores.md")


def follow_in_a_fresh_service(reader: Reader, page: Path) -> None:
    render = "cookiecutter gh:org/cookiecutter-driven-microservice --no-input store=sqlite"
    reader.run(Step(page, 0, "console", "", ""), Command(f"{render} && cd order-service", ""))
    reader.follow(page)


SOUND = """
```console
$ echo one && \\
    echo at 2026-11-21T08:36:05Z
one
at 2020-01-01T00:00:00.123456+00:00
$ mkdir folder && cd folder
$ printf 'a\\nb\\nc\\n'
...
c
```

A new file, `new/file.txt`:

```diff
+one
+
+three
```

```console fails
$ cat new/file.txt
one

three
```
"""
WRONG = {
    "it says something else": ("\none\n", "\ntwo\n"),
    "it says more": ("...\nc\n", "...\nb\n"),
    "it fails": ("&& cd", "&& false && cd"),
    "it does not fail": ("console fails\n$ cat", "console fails\n$ true || cat"),
    "no file is named": ("`new/file.txt`", "new/file.txt"),
    "what it changes is not there": ("+one\n", "-one\n"),
    "the file is there already": ("cd folder", "cd folder && mkdir new && touch new/file.txt"),
}


def page(folder: Path, text: str) -> Path:
    path = folder / "page.md"
    path.write_text(text)
    return path


def test_a_page_that_is_right_is_followed(tmp_path: Path) -> None:
    Reader(tmp_path).follow(page(tmp_path, SOUND.replace("console fails", "console")))


@pytest.mark.parametrize(("right", "wrong"), WRONG.values(), ids=WRONG)
def test_a_page_that_is_wrong_is_found(tmp_path: Path, right: str, wrong: str) -> None:
    text = SOUND if "fails" in right else SOUND.replace("console fails", "console")
    assert right in text
    with pytest.raises((AssertionError, FileNotFoundError)):
        Reader(tmp_path).follow(page(tmp_path, text.replace(right, wrong)))
