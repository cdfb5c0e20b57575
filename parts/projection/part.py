"""A read model: one line or row in each place."""

import sys
from collections.abc import Mapping
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from growth import Growth
from wiring import Change, among, row_of


def changes(names: Mapping[str, str]) -> list[Change]:
    package = Path("src", names["__package"])
    service = package / "service" / names["__aggregate_snake"] / "__init__.py"
    app = package / "entrypoints/api/app.py"
    projection, module = names["__projection"], names["__plural_snake"]
    line = f"    {module},\n"
    queries = [
        f"""    (
        {module}.{query},
        {module}.{query}Handler,
    ),
"""
        for query in (f"Get{projection}", f"Get{projection}List")
    ]
    return [
        Change(service, line, among("from . import (")),
        *(Change(service, row, row_of("QUERIES")) for row in queries),
        Change(service, f"    {module}.{projection},\n", row_of("PROJECTIONS")),
        Change(app, line, among("from . import (")),
        Change(app, line, among("ROUTERS = (")),
    ]


class Part(Growth):
    prompts = Path(__file__).with_name("cookiecutter.json")
    changes = staticmethod(changes)
