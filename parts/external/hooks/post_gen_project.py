"""Wires the new port: adds one line or row in each place. A second run changes nothing."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path({{cookiecutter._repo_dir | tojson}}).parent))
from wiring import Change, after_table, among, at_end, beside, row_of, wire

PROJECT = Path("pyproject.toml")
PACKAGE = Path("src", {{cookiecutter.__package | tojson}})
EXTERNAL = {{cookiecutter.__external | tojson}}
MODULE = {{cookiecutter.__plural_snake | tojson}}
KEBAB = {{cookiecutter.external_plural | tojson}}
WORDS = {{cookiecutter.__plural_words | tojson}}
URL, TIMEOUT = f"{MODULE}_url", f"{MODULE}_timeout_seconds"

HTTPX = '    "httpx>=0.28",\n'
ROW = f"""    (
        {EXTERNAL}Repository,
        {MODULE}.open_{MODULE},
    ),
"""
PORT = f"from .service.ports.{MODULE} import {EXTERNAL}Repository\n"
SETTINGS = f"    {MODULE}.{EXTERNAL}Settings,\n"
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
        Change(PACKAGE / "bootstrap.py", PORT, beside("from .service.ports.")),
        Change(PACKAGE / "bootstrap.py", ROW, row_of("PORTS")),
        Change(PACKAGE / "config.py", f"    {MODULE},\n", among("from .settings import (")),
        Change(PACKAGE / "config.py", SETTINGS, among("class Settings(")),
        Change(Path(".env.example"), EXAMPLE, at_end),
        Change(Path("README.md"), DOCUMENTED, after_table("| variable | default |")),
    ]
)
