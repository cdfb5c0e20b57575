"""Imports point one way: entrypoints, bootstrap, adapters, service, domain, bus."""

import ast
import re
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
    "observability",
    "bootstrap",
    "entrypoints",
]
"""From the bottom up. `config` knows of the bus only what a wrong configuration is called."""

ROOMS = [
    [
        ["errors", "clock", "ids"],
        ["messages", "context"],
        ["upcasting", "aggregate", "recorded_event"],
        ["projection", "unit_of_work"],
        ["reader", "follow_up"],
        ["handlers"],
    ],
    [
        ["pending", "views"],
        ["stream"],
        ["idempotency"],
        ["commit"],
        ["codec", "log", "transfer"],
        ["event_store"],
    ],
    [
        ["dispatch", "envelope", "attributes", "subscription", "supervisor", "projector"],
        ["snapshots"],
        ["repository", "loops"],
        ["reader", "pending_maker"],
        ["unit_of_work"],
        ["follow_ups"],
        ["message_bus"],
        ["wiring", "worker", "histories"],
        ["operations"],
    ],
]
"""The rooms of the bus, model, store and runtime, and the modules in each, from the bottom up."""

ORDER = {
    f"{room}.{module}": (floor, level)
    for floor, (room, levels) in enumerate(zip(["model", "store", "runtime"], ROOMS, strict=True))
    for level, modules in enumerate(levels)
    for module in modules
}
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


def test_the_domain_imports_the_bus_and_the_library_of_its_messages() -> None:
    """Value objects are structs, as messages are."""
    for module in modules(ROOT / "domain"):
        outside = {name for name in imports(module) if name.partition(".")[0] != PACKAGE}
        inside = {layer(name) for name in imports(module) if name.startswith(f"{PACKAGE}.")}
        libraries = {name.partition(".")[0] for name in outside} - sys.stdlib_module_names
        assert libraries <= {"msgspec"}
        assert inside <= {"bus", "domain"}


def test_the_bus_imports_its_own_rooms_in_order_and_two_libraries() -> None:
    for module in modules(ROOT / "bus"):
        if module.stem == "__init__":
            continue
        own = f"{module.parent.name}.{module.stem}"
        for name in imports(module):
            if name.startswith(f"{PACKAGE}.bus."):
                assert ORDER[name.removeprefix(f"{PACKAGE}.bus.")] < ORDER[own], own
            else:
                top = name.partition(".")[0]
                assert top in sys.stdlib_module_names | BUS_LIBRARIES
                assert top != "logging"
                assert top != "punq" or module.stem == "wiring"


def test_the_model_imports_neither_the_store_nor_the_runtime() -> None:
    for module in modules(ROOT / "bus" / "model"):
        inside = {name for name in imports(module) if name.startswith(f"{PACKAGE}.")}
        assert all(name.startswith(f"{PACKAGE}.bus.model.") for name in inside), module


def test_no_entry_point_imports_an_adapter() -> None:
    """Which adapter serves a port is known to the composition root alone."""
    for module in modules(ROOT / "entrypoints"):
        assert "adapters" not in {
            layer(name) for name in imports(module) if name.startswith(f"{PACKAGE}.")
        }


def test_private_names_of_a_library_are_used_in_one_module_at_most() -> None:
    found = [
        str(module.relative_to(ROOT / "adapters"))
        for module in modules(ROOT / "adapters")
        if re.search(r"\._(get_connection|local)\b", module.read_text())
    ]
    assert len(found) <= 1
