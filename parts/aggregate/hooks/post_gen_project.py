"""Wires the new aggregate: adds one line in each place. A second run changes nothing."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path({{cookiecutter._repo_dir | tojson}}).parent))
from wiring import Change, among, wire

PACKAGE = Path("src", {{cookiecutter.__package | tojson}})
SERVICE = "    {{cookiecutter.__aggregate_snake}},\n"
ROUTES = "    {{cookiecutter.__plural_snake}},\n"

wire(
    [
        Change(PACKAGE / "bootstrap.py", SERVICE, among("from .service import (")),
        Change(PACKAGE / "bootstrap.py", SERVICE, among("SERVICES = (")),
        Change(PACKAGE / "entrypoints/api/app.py", ROUTES, among("from . import (")),
        Change(PACKAGE / "entrypoints/api/app.py", ROUTES, among("ROUTERS = (")),
    ]
)
