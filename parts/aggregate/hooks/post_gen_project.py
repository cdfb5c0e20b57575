"""Wires the new aggregate: one line in each place. Run again, it changes nothing."""

import re
import sys
from pathlib import Path

PACKAGE = Path("src", {{cookiecutter.__package | tojson}})
SERVICE = {{cookiecutter.__aggregate_snake | tojson}}
ROUTES = {{cookiecutter.__plural_snake | tojson}}

# The file, the line that opens a list, and the new line of that list.
WIRING = [
    (PACKAGE / "bootstrap.py", "from .service import (", f"    {SERVICE},"),
    (PACKAGE / "bootstrap.py", "SERVICES = (", f"    {SERVICE},"),
    (PACKAGE / "entrypoints/api/app.py", "from . import (", f"    {ROUTES},"),
    (PACKAGE / "entrypoints/api/app.py", "ROUTES = (", f"    {ROUTES},"),
]


def with_line(text, opening, line):
    """The text with the line among the others of the list, in their order."""
    found = re.search(rf"^{re.escape(opening)}.*\n((?:    .*\n)*)\)", text, re.MULTILINE)
    if not found:
        return None
    lines = sorted({*found[1].splitlines(), line})
    return text[: found.start(1)] + "".join(f"{each}\n" for each in lines) + text[found.end(1) :]


for path, opening, line in WIRING:
    wired = with_line(path.read_text(), opening, line)
    if wired is None:
        sys.exit(
            f"{path} has no list that opens with {opening!r}: add {line.strip()!r} there by hand"
        )
    path.write_text(wired)
