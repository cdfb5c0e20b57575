"""Wires the new read model: adds one line or row in each place. A second run changes nothing."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path({{cookiecutter._repo_dir | tojson}}).parent))
from wiring import Change, among, row_of, wire

PACKAGE = Path("src", {{cookiecutter.__package | tojson}})
PROJECTION = {{cookiecutter.__projection | tojson}}
MODULE = {{cookiecutter.__plural_snake | tojson}}

SERVICE = PACKAGE / "service" / {{cookiecutter.__aggregate_snake | tojson}} / "__init__.py"
APP = PACKAGE / "entrypoints/api/app.py"

LINE = f"    {MODULE},\n"
QUERIES = [
    f"""    (
        {MODULE}.{query},
        {MODULE}.{query}Handler,
    ),
"""
    for query in (f"Get{PROJECTION}", f"Get{PROJECTION}List")
]

wire(
    [
        Change(SERVICE, LINE, among("from . import (")),
        *(Change(SERVICE, row, row_of("QUERIES")) for row in QUERIES),
        Change(SERVICE, f"    {MODULE}.{PROJECTION},\n", row_of("PROJECTIONS")),
        Change(APP, LINE, among("from . import (")),
        Change(APP, LINE, among("ROUTERS = (")),
    ]
)
