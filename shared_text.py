"""The text that the first aggregate shares with every later one.

It stands in parts/aggregate, once. A file of the first aggregate quotes the file of its own path there, from top to
bottom, and adds what only the example has. A quotation is a line of its own:

    {{ aggregate_part.through('x') }}     the lines up to one with x in it, and that one
    {{ aggregate_part.instead_of('x') }}  the same without that one: what is written next stands in its place
    {{ aggregate_part.rest }}             the lines that are left

The quoted lines hold the names of the part's cookiecutter.json, which that of the template has as well.
"""

from __future__ import annotations

import re
from pathlib import Path

PART = Path(__file__).with_name("parts") / "aggregate/{{cookiecutter.__folder}}"
QUOTATION = re.compile(
    r"^{{ aggregate_part\.(?:rest|(?P<how>through|instead_of)\('(?P<line>.+)'\)) }}\n",
    re.MULTILINE,
)


class NotThere(LookupError):
    """A file quotes a line that parts/aggregate does not have, or has further above."""


def with_quotations(path: str, source: str) -> str:
    """The source of this file of the service, its quotations replaced by what they quote."""
    if not QUOTATION.search(source):
        return source
    left = iter((PART / path).read_text("utf-8").splitlines(keepends=True))

    def quoted(quotation: re.Match[str]) -> str:
        how, wanted = quotation["how"], quotation["line"]
        lines: list[str] = []
        for line in left:
            if wanted and wanted in line:
                return "".join([*lines, line] if how == "through" else lines)
            lines.append(line)
        if wanted:
            raise NotThere(f"{path} quotes {wanted!r}, which does not follow in parts/aggregate")
        return "".join(lines)

    return QUOTATION.sub(quoted, source)
