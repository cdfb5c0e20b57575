"""Another system: one line or row in each place."""

import sys
from collections.abc import Mapping
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from growth import Growth
from wiring import Change, after_table, among, at_end, beside, row_of


def changes(names: Mapping[str, str]) -> list[Change]:
    package = Path("src", names["__package"])
    bootstrap, config = package / "bootstrap.py", package / "config.py"
    external, module = names["__external"], names["__plural_snake"]
    kebab, words = names["external_plural"], names["__plural_words"]
    url, timeout = f"{module}_url".upper(), f"{module}_timeout_seconds".upper()
    httpx = among("dependencies = [", unless=r' *"httpx(?!-)')
    port = f"from .service.ports.{module} import {external}Repository\n"
    row = f"""    (
        {external}Repository,
        {module}.open_{module},
    ),
"""
    example = f"""
# Where another system has the {words}, and how long it may take to connect, and then to answer
# {url}=
# {timeout}=2
"""
    documented = f"""| `{url}` | | where another system has the {words}, each at `<url>/{kebab}/<id>` |
| `{timeout}` | `2` | how long it may take to connect, and then to answer |
"""
    return [
        Change(Path("pyproject.toml"), '    "httpx>=0.28",\n', httpx),
        Change(bootstrap, f"    {module},\n", among("from .adapters import (")),
        Change(bootstrap, port, beside("from .service.ports.")),
        Change(bootstrap, row, row_of("PORTS")),
        Change(config, f"    {module},\n", among("from .settings import (")),
        Change(config, f"    {module}.{external}Settings,\n", among("class Settings(")),
        Change(Path(".env.example"), example, at_end),
        Change(Path("README.md"), documented, after_table("| variable | default |")),
    ]


class Part(Growth):
    prompts = Path(__file__).with_name("cookiecutter.json")
    changes = staticmethod(changes)
