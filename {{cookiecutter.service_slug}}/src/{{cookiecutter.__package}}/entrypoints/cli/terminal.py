"""The output of the command line. Control characters are escaped: stored text cannot steer a
terminal."""

import json
import shutil
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, TextIO
from unicodedata import combining, east_asian_width

from ...observability.text import UNSAFE, escaped, safe

__all__ = [
    "PROGRAM",
    "UNSAFE",
    "Lines",
    "Progress",
    "fail",
    "line",
    "moment",
    "safe",
    "say",
    "say_json",
    "say_row",
    "say_table",
    "tell",
]

PROGRAM = "{{ cookiecutter.service_slug }}"

GAP = "  "
NARROWEST = 12
BAR = 30


def say(text: str) -> None:
    """Write a line to standard output."""
    _write(text, sys.stdout)


def tell(text: str) -> None:
    """Write a line to standard error."""
    _write(text, sys.stderr)


def line(error: Exception) -> str:
    """An error in one line."""
    return " ".join(f"{type(error).__name__}: {error}".split())


def fail(reason: object) -> None:
    """Write to standard error, in one line, why the command failed."""
    tell(f"{PROGRAM}: {' '.join(str(reason).split())}")


def say_json(value: Any, *, indent: int | None = 2) -> None:
    """Write JSON to standard output; without `indent`, as one line."""
    for line in json.dumps(value, indent=indent, ensure_ascii=False).split("\n"):
        say(line)


def say_row(cells: Iterable[str]) -> None:
    """Write one row of a list that is still growing; on a terminal, shortened to its width."""
    line = GAP.join(map(safe, cells))
    say(_shortened(line, _columns()) if sys.stdout.isatty() else line)


def say_table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Write rows: on a terminal under their header, in columns that fit its width; elsewhere as
    plain lines, one for each row."""
    cells = [[safe(cell) for cell in row] for row in rows]
    if not sys.stdout.isatty():
        for row in cells:
            say(GAP.join(row))
    elif cells:
        for line in _aligned([list(header), *cells], _columns()):
            say(line)


class Lines:
    """Standard output, for code that writes JSON to it as bytes, a line at a time."""

    def write(self, line: bytes, /) -> None:
        say(line.decode().rstrip("\n"))

    def flush(self) -> None:
        sys.stdout.flush()


def moment(time: datetime) -> str:
    """A time, to the second."""
    return f"{time.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


class Progress:
    """Shows progress on standard error: a bar on a terminal, elsewhere a line at each tenth."""

    def __init__(self, name: str, unit: str = "commits") -> None:
        self._name, self._unit = safe(name), unit
        self._tenth, self._live = -1, sys.stderr.isatty()

    def __call__(self, done: int, total: int) -> None:
        share = done / total if total else 1.0
        text = f"{self._name}: {share:4.0%}  {done:,} of {total:,} {self._unit}"
        if self._live:
            filled = int(BAR * share)
            bar = "█" * filled + "░" * (BAR - filled)
            print(f"\r{bar} {text}", end="\n" if done == total else "", file=sys.stderr, flush=True)
        elif int(share * 10) > self._tenth:
            self._tenth = int(share * 10)
            print(text, file=sys.stderr, flush=True)


def _write(text: str, stream: TextIO) -> None:
    line = safe(text)
    try:
        line.encode(getattr(stream, "encoding", None) or "utf-8")
    except UnicodeEncodeError:  # the encoding of the terminal lacks a character
        line = "".join([each if each.isascii() else escaped(each) for each in line])
    print(line, file=stream)


def _columns() -> int:
    return shutil.get_terminal_size().columns


def _aligned(rows: Sequence[Sequence[str]], columns: int) -> list[str]:
    """The rows in columns. If they do not fit, the last column is shortened, then the widest."""
    widths = [min(columns, max(map(_width, column))) for column in zip(*rows, strict=True)]
    room = columns - len(GAP) * (len(widths) - 1)
    widths[-1] = max(min(widths[-1], NARROWEST), min(widths[-1], room - sum(widths[:-1])))
    while sum(widths) > room and max(widths) > NARROWEST:
        widths[widths.index(max(widths))] -= 1
    return [
        GAP.join([_padded(cell, width) for cell, width in zip(row, widths, strict=True)]).rstrip()
        for row in rows
    ]


def _padded(text: str, width: int) -> str:
    shortened = _shortened(text, width)
    return shortened + " " * (width - _width(shortened))


def _shortened(text: str, width: int) -> str:
    if _width(text) <= width:
        return text
    fitting, used = "", 1
    for each in text:
        used += _width(each)
        if used > width:
            break
        fitting += each
    return f"{fitting}…"


def _width(text: str) -> int:
    """How many columns of a terminal it takes."""
    if text.isascii():
        return len(text)
    return sum([0 if combining(each) else 1 + (east_asian_width(each) in "WF") for each in text])
