"""What a line of `status` is."""

from typing import Any, NamedTuple


class Line(NamedTuple):
    """What it is about, its figures in words, and the same figures for `--json`."""

    label: str
    text: str
    figures: dict[str, Any]
