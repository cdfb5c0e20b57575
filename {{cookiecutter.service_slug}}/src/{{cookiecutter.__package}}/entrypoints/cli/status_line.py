"""A line of `status`."""

from typing import Any, NamedTuple


class Line(NamedTuple):
    """The label of a line, its figures in words, and the same figures for `--json`."""

    label: str
    text: str
    figures: dict[str, Any]
