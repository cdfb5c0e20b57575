"""An aggregate: one line in each place."""

import sys
from collections.abc import Mapping
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from growth import Growth
from wiring import Change, among


def changes(names: Mapping[str, str]) -> list[Change]:
    package = Path("src", names["__package"])
    app = package / "entrypoints/api/app.py"
    service, routes = f"    {names['__aggregate_snake']},\n", f"    {names['__plural_snake']},\n"
    return [
        Change(package / "bootstrap.py", service, among("from .service import (")),
        Change(package / "bootstrap.py", service, among("SERVICES = (")),
        Change(app, routes, among("from . import (")),
        Change(app, routes, among("ROUTERS = (")),
    ]


class Part(Growth):
    prompts = Path(__file__).with_name("cookiecutter.json")
    changes = staticmethod(changes)
