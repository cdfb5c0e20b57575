"""How the parts insert a line, a row or a paragraph into an existing file.

A change is a file, the addition, and its place. An addition that is there is not repeated. A list
that a formatter has put on one line is first written with a line for each item.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple


class Place(NamedTuple):
    """Where something is inserted: what a message calls it, and a function that returns the text
    with the addition, or None if the text has no such place."""

    name: str
    insert: Callable[[str, str], str | None]


class Change(NamedTuple):
    path: Path
    addition: str
    place: Place


class NoPlace(LookupError):
    """A file has no place for an addition."""


def wired(changes: Iterable[Change]) -> dict[Path, str]:
    """The new texts of the files. Raises `NoPlace`, which says in one line what is missing."""
    texts: dict[Path, str] = {}
    for path, addition, place in changes:
        if path not in texts:
            texts[path] = path.read_text("utf-8") if path.is_file() else ""
        after = place.insert(texts[path], addition)
        if after is None:
            raise NoPlace(
                f"{path.as_posix()} has no {place.name}, where this would be added: write it, and "
                "try again. Nothing was changed"
            )
        texts[path] = after
    return texts


def wire(changes: Iterable[Change]) -> None:
    """Make each change, or none of them."""
    for path, text in wired(changes).items():
        if text != path.read_text("utf-8"):
            path.write_text(text, "utf-8")


def among(opening: str, unless: str = "") -> Place:
    """Insert a line into the list that begins with `opening`, before the first line that sorts
    after it; but not if a line matches the regular expression `unless`. The other lines stay as
    they are."""

    def insert(text: str, addition: str) -> str | None:
        found = _list(text, opening)
        if not found:
            return None
        lines = found.lines.splitlines(keepends=True)
        if any(re.match(unless or re.escape(addition), line) for line in lines):
            return text
        place = next((n for n, line in enumerate(lines) if line > addition), len(lines))
        while place and lines[place - 1].lstrip().startswith("#"):
            place -= 1
        lines.insert(place, addition)
        return found.before + "".join(lines) + found.after

    return Place(f"list `{opening}`", insert)


def row_of(table: str) -> Place:
    """Insert a row, of one line or more, at the end of the table of this name."""

    def insert(text: str, addition: str) -> str | None:
        found = _list(text, table)
        if not found or f",{_squeezed(addition)}" in f",{_squeezed(found.lines)}":
            return found and text
        return found.before + found.lines + addition + found.after

    return Place(f"table {table}", insert)


def _append(text: str, addition: str) -> str | None:
    if not text or addition in text:
        return text or None
    return f"{text.rstrip()}\n{addition}"


at_end = Place("text", _append)
"""Insert at the end of an existing file."""


def beside(start: str) -> Place:
    """Insert a line among those that begin with `start`, in their sort order."""

    def insert(text: str, addition: str) -> str | None:
        lines = text.splitlines(keepends=True)
        like = [number for number, line in enumerate(lines) if line.startswith(start)]
        if not like or addition in lines:
            return text if like else None
        lines.insert(next((n for n in like if lines[n] > addition), like[-1] + 1), addition)
        return "".join(lines)

    return Place(f"line that begins with `{start}`", insert)


def after_table(heading: str) -> Place:
    """Insert a row at the end of the Markdown table whose first line begins with `heading`."""

    def insert(text: str, addition: str) -> str | None:
        found = re.search(rf"^{re.escape(heading)}.*\n(?:\|.*\n)+", text, re.MULTILINE)
        if not found or addition in text:
            return found and text
        return text[: found.end()] + addition + text[found.end() :]

    return Place(f"table that begins with `{heading}`", insert)


class _List(NamedTuple):
    """A text that holds a list with a line, or several, for each item."""

    before: str
    lines: str
    after: str


_TOKEN = re.compile(r'"""(?:.|\n)*?"""|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'|#.*|[][(){},]')


def _list(text: str, opening: str) -> _List | None:
    """The list that begins with `opening`, or that has this name."""
    if opening.endswith("import ("):
        text = _with_brackets(text, opening)
    start = _start(text, opening)
    parsed = start and _items(text, start)
    if not start or not parsed:
        return None
    items, end = parsed
    has_line_each = all(re.match(r" *(#.*)?\n", item) for item in items)
    if has_line_each and not re.sub("#.*", "", items[-1]).strip() and items[-1][-1] == "\n":
        start = text.index("\n", start) + 1
        return _List(text[:start], text[start:end], text[end:])
    if any("#" in item.rpartition("\n")[2] for item in items):
        return None  # a comma behind the item would be part of the comment
    lines = "".join(f"    {item.strip()},\n" for item in items if item.strip())
    return _List(text[:start] + "\n", lines, text[end:])


def _with_brackets(text: str, opening: str) -> str:
    """The text, with brackets around what the statement imports."""
    bare = re.escape(opening.removesuffix("("))
    return re.sub(rf"^{bare}(?!\()([^#\n\\]*?) *$", rf"{opening}\1)", text, flags=re.MULTILINE)


def _start(text: str, opening: str) -> int | None:
    """Where the items begin: behind the bracket."""
    if opening[-1] in "([":
        found = re.search(rf"^{re.escape(opening)}", text, re.MULTILINE)
    else:
        found = re.search(rf"^{opening}\b[^=]*= *[(\[]", text, re.MULTILINE)
    return found and found.end()


def _items(text: str, start: int) -> tuple[list[str], int] | None:
    """What stands between the commas of a list, and where the list ends."""
    items: list[str] = []
    begin, depth = start, 0
    for token in _TOKEN.finditer(text, start):
        if token[0] in ("(", "[", "{"):
            depth += 1
        elif token[0] in (")", "]", "}"):
            depth -= 1
        if depth < 0 or (token[0] == "," and not depth):
            items.append(text[begin : token.start()])
            begin = token.end()
        if depth < 0:
            return items, token.start()
    return None


def _squeezed(rows: str) -> str:
    """Rows without what a formatter decides."""
    return re.sub(r",(?=[])])", "", re.sub(r"\s", "", rows))
