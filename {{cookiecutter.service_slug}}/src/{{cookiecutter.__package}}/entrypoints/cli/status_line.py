"""A line of `status`."""

from datetime import datetime
from typing import Any, NamedTuple


class Line(NamedTuple):
    """The label of a line, its figures in words, and the same figures for `--json`. For `--strict`:
    whether it is wrong in any case, and since when something waits, which is wrong after a
    while."""

    label: str
    text: str
    figures: dict[str, Any]
    wrong: bool = False
    since: datetime | None = None
