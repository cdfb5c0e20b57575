"""Imports point one way: entrypoints, bootstrap, adapters, service, domain, bus."""

import ast
import sys
from importlib.util import resolve_name
from pathlib import Path

import pytest

import {{ cookiecutter.__package }}

ROOT = Path({{ cookiecutter.__package }}.__file__).parent
PACKAGE = ROOT.name

LAYERS = [
    "bus",
    "settings",
    "config",
    "domain",
    "service",
    "adapters",
    "log",
    "bootstrap",
    "entrypoints",
]
"""From the bottom up. `config` knows of the bus only how a wrong configuration is called."""

BUS = [
    ["errors"],
    ["upcasting"],
    ["messages"],
    ["views"],
    ["store"],
    ["aggregate"],
    ["codec"],
    ["snapshots"],
    ["repository"],
    ["unit_of_work", "subscription"],
    ["projection"],
    ["reader"],
    ["handlers"],
    ["message_bus"],
    ["wiring", "pending"],
]
BUS_LIBRARIES = {"msgspec", "punq"}


def modules(below: Path) -> list[Path]:
    found = sorted(below.rglob("*.py"))
    assert found, f"no modules below {below}"
    return found


def imports(module: Path) -> set[str]:
    """The full names of the modules that this one imports."""
    package = ".".join([PACKAGE, *module.relative_to(ROOT).parent.parts])
    found: set[str] = set()
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = resolve_name("." * node.level + (node.module or ""), package)
            names = {alias.name for alias in node.names} - {"__version__"}
            found |= {base} if node.module else {f"{base}.{name}" for name in names}
    return found


def layer(name: str) -> str:
    return name.split(".")[1]


@pytest.mark.parametrize(
    "module",
    [path for path in modules(ROOT) if path != ROOT / "__init__.py"],
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_a_module_imports_only_from_its_own_layer_or_below(module: Path) -> None:
    own = module.relative_to(ROOT).parts[0].removesuffix(".py")
    allowed = LAYERS[: LAYERS.index(own) + 1]
    reached = {layer(name) for name in imports(module) if name.startswith(f"{PACKAGE}.")}
    assert reached <= set(allowed)


def test_the_domain_imports_the_bus_and_nothing_else() -> None:
    for module in modules(ROOT / "domain"):
        outside = {name for name in imports(module) if name.partition(".")[0] != PACKAGE}
        inside = {layer(name) for name in imports(module) if name.startswith(f"{PACKAGE}.")}
        assert {name.partition(".")[0] for name in outside} <= sys.stdlib_module_names
        assert inside <= {"bus", "domain"}


def test_the_bus_imports_its_own_rooms_in_order_and_two_libraries() -> None:
    order = {room: number for number, rooms in enumerate(BUS) for room in rooms}
    for module in modules(ROOT / "bus"):
        if module.stem == "__init__":
            continue
        for name in imports(module):
            if name.startswith(f"{PACKAGE}.bus."):
                assert order[name.rpartition(".")[2]] < order[module.stem]
            else:
                top = name.partition(".")[0]
                assert top in sys.stdlib_module_names | BUS_LIBRARIES
                assert top != "logging"
                assert top != "punq" or module.stem == "wiring"
