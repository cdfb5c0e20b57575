"""What the command line writes to a terminal: nothing that steers it, and no wider than it is."""

import io
import json
from contextlib import redirect_stdout
from typing import Any
from unicodedata import category

import pytest
from hypothesis import given
from hypothesis import strategies as st

from {{ cookiecutter.__package }}.entrypoints.cli import terminal

ROWS = [["1", "short", "x" * 300], ["22", "日本" * 40, "é"], ["3", "", "ä̈" * 99]]


class Screen(io.StringIO):
    """A terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def _columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")


in_60_columns = pytest.mark.usefixtures("_columns")


@pytest.mark.parametrize(
    ("unsafe", "shown"),
    [
        ("\x1b[2J", r"\u001b[2J"),
        ("\x9b2J", r"\u009b2J"),
        ("a\r\n\tb", r"a\u000d\u000a\u0009b"),
        ("\u202e\u2066\u2069\u200f", r"\u202e\u2066\u2069\u200f"),
        ("\u2028\u2029", r"\u2028\u2029"),
        ("\ud800", r"\ud800"),
        ("\U000e0041", r"\udb40\udc41"),
        ("é 日本 😀 \\u0041", "é 日本 😀 \\u0041"),
    ],
)
def test_what_a_terminal_would_obey_is_shown_instead(unsafe: str, shown: str) -> None:
    assert terminal.safe(unsafe) == shown


def test_no_character_of_an_unsafe_category_is_left() -> None:
    every = "".join(map(chr, range(0x110000)))
    shown = {each for each in every if category(each) not in terminal.UNSAFE}
    assert set(terminal.safe(every)) == shown


@given(
    st.recursive(
        st.text() | st.integers() | st.none(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_json_that_was_made_safe_is_the_same_json(value: Any) -> None:
    with redirect_stdout(io.StringIO()) as out:
        terminal.say_json(value)
    assert json.loads(out.getvalue()) == value
    assert not {category(each) for each in out.getvalue().replace("\n", "")} & terminal.UNSAFE


@in_60_columns
def test_a_table_on_a_terminal_has_a_header_and_fits_its_width() -> None:
    with redirect_stdout(Screen()) as screen:
        terminal.say_table(["n", "name", "text"], ROWS)
    header, *lines = screen.getvalue().splitlines()
    assert header.split() == ["n", "name", "text"]
    assert len(lines) == len(ROWS)
    assert max(terminal._width(line) for line in lines) == 60
    starts = {line.index("…") for line in lines if "x" in line}
    assert starts == {59}
    assert lines[0].index("short") == header.index("name") == lines[1].index("日")


@in_60_columns
def test_the_last_column_is_the_first_to_be_shortened() -> None:
    with redirect_stdout(Screen()) as screen:
        terminal.say_table(["a", "b"], [["2026-01-02T03:04:05Z", "z" * 60]])
    assert screen.getvalue().splitlines()[1] == "2026-01-02T03:04:05Z  " + "z" * 37 + "…"


@in_60_columns
def test_a_table_elsewhere_is_plain_lines_and_nothing_is_cut() -> None:
    with redirect_stdout(io.StringIO()) as out:
        terminal.say_table(["n", "name", "text"], ROWS)
    assert out.getvalue().splitlines() == ["  ".join(row) for row in ROWS]


@in_60_columns
def test_a_table_without_rows_is_empty() -> None:
    with redirect_stdout(Screen()) as screen:
        terminal.say_table(["n", "name"], [])
    assert screen.getvalue() == ""


@in_60_columns
def test_a_row_of_a_list_that_goes_on_is_one_line_of_the_terminal() -> None:
    with redirect_stdout(Screen()) as screen:
        terminal.say_row(["1", "\n" * 99])
    (line,) = screen.getvalue().splitlines()
    assert (len(line), line[-1]) == (60, "…")


def test_a_terminal_of_another_alphabet_gets_escapes() -> None:
    written = io.BytesIO()
    with redirect_stdout(io.TextIOWrapper(written, "latin-1", write_through=True)) as _out:
        terminal.say("é → 😀")
    assert written.getvalue() == b"\\u00e9 \\u2192 \\ud83d\\ude00\n"
