"""Wires the new port: one line, or one row, in each place. Run again, it changes nothing."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path({{cookiecutter._repo_dir | tojson}}).parent))
from wiring import Change, after_table, among, at_end, field_of, row_of, wire

PROJECT = Path("pyproject.toml")
PACKAGE = Path("src", {{cookiecutter.__package | tojson}})
EXTERNAL = {{cookiecutter.__external | tojson}}
MODULE = {{cookiecutter.__plural_snake | tojson}}
KEBAB = {{cookiecutter.external_plural | tojson}}
WORDS = {{cookiecutter.__plural_words | tojson}}
URL, TIMEOUT = f"{MODULE}_url", f"{MODULE}_timeout_seconds"

HTTPX = '    "httpx>=0.28",\n'
ROW = f"""    (
        {MODULE}_port.{EXTERNAL}Repository,
        {MODULE}.open_{MODULE},
    ),
"""
SETTINGS = f"""    {URL}: str | None = None
    {TIMEOUT}: float = Field(default=2, gt=0, le=60)
"""
EXAMPLE = f"""
# Where another system has the {WORDS}, and how long it may take to connect, and then to answer
# {URL.upper()}=
# {TIMEOUT.upper()}=2
"""
DOCUMENTED = f"""| `{URL.upper()}` | | where another system has the {WORDS}, each at `<url>/{KEBAB}/<id>` |
| `{TIMEOUT.upper()}` | `2` | how long it may take to connect, and then to answer |
"""

wire(
    [
        Change(PROJECT, HTTPX, among("dependencies = [", unless=r' *"httpx(?!-)')),
        Change(PACKAGE / "bootstrap.py", f"    {MODULE},\n", among("from .adapters import (")),
        Change(PACKAGE / "bootstrap.py", f"    {MODULE}_port,\n", among("from .service import (")),
        Change(PACKAGE / "bootstrap.py", ROW, row_of("PORTS")),
        Change(PACKAGE / "config.py", SETTINGS, field_of("Settings")),
        Change(Path(".env.example"), EXAMPLE, at_end),
        Change(Path("README.md"), DOCUMENTED, after_table("| variable | default |")),
    ]
)
