"""What the hooks of the parts share: how to insert a line, a row or a paragraph into an existing
file.

A change is a file, the addition, and the way to insert it. An addition that is there is not
repeated.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

Insert = Callable[[str, str], "str | None"]
"""Returns the text with the addition, or None if the text has no place for it."""


class Change(NamedTuple):
    path: Path
    addition: str
    insert: Insert


def wire(changes: Iterable[Change]) -> None:
    """Make each change. If a file has no place for an addition, prints what is to be added by hand,
    and ends the program."""
    left = [change for change in changes if not _apply(change)]
    for change in left:
        print(f"Add this to {change.path} by hand, it has no place for it:\n{change.addition}")
    if left:
        sys.exit(1)


def _apply(change: Change) -> bool:
    before = change.path.read_text("utf-8") if change.path.is_file() else ""
    after = change.insert(before, change.addition)
    if after is not None and after != before:
        change.path.write_text(after, "utf-8")
    return after is not None


def among(opening: str, unless: str = "") -> Insert:
    """Insert a line into the list that begins with `opening`, before the first line that sorts
    after it; but not if a line matches the regular expression `unless`. The other lines stay as
    they are."""

    def insert(text: str, addition: str) -> str | None:
        found = _list(text, opening)
        if not found:
            return None
        lines = found[1].splitlines(keepends=True)
        if any(re.match(unless or re.escape(addition), line) for line in lines):
            return text
        place = next((n for n, line in enumerate(lines) if line > addition), len(lines))
        while place and lines[place - 1].lstrip().startswith("#"):
            place -= 1
        lines.insert(place, addition)
        return text[: found.start(1)] + "".join(lines) + text[found.end(1) :]

    return insert


def row_of(table: str) -> Insert:
    """Insert a row, of one line or more, at the end of the table of this name."""

    def insert(text: str, addition: str) -> str | None:
        found = _list(text, table)
        if not found or addition in found[1]:
            return found and text
        return text[: found.end(1)] + addition + text[found.end(1) :]

    return insert


def at_end(text: str, addition: str) -> str | None:
    """Insert at the end of an existing file."""
    if not text or addition in text:
        return text or None
    return f"{text.rstrip()}\n{addition}"


def beside(start: str) -> Insert:
    """Insert a line among those that begin with `start`, in their sort order."""

    def insert(text: str, addition: str) -> str | None:
        lines = text.splitlines(keepends=True)
        like = [number for number, line in enumerate(lines) if line.startswith(start)]
        if not like or addition in lines:
            return text if like else None
        lines.insert(next((n for n in like if lines[n] > addition), like[-1] + 1), addition)
        return "".join(lines)

    return insert


def after_table(heading: str) -> Insert:
    """Insert a row at the end of the Markdown table whose first line begins with `heading`."""

    def insert(text: str, addition: str) -> str | None:
        found = re.search(rf"^{re.escape(heading)}.*\n(?:\|.*\n)+", text, re.MULTILINE)
        if not found or addition in text:
            return found and text
        return text[: found.end()] + addition + text[found.end() :]

    return insert


def _list(text: str, opening: str) -> re.Match[str] | None:
    """The lines of the list, in group 1."""
    pattern = rf"^{re.escape(opening)}(?!\w).*\n((?:    .*\n)*)[)\]]"
    return re.search(pattern, text, re.MULTILINE)
