"""The diagram of the wiring of this service, drawn from the registry of the bus."""

from {{ cookiecutter.__package }}.bootstrap import make_bus
from {{ cookiecutter.__package }}.config import Settings
from {{ cookiecutter.__package }}.entrypoints.cli import flow

from ..support.diagram import Diagram


def test_everything_that_is_wired_is_in_the_diagram() -> None:
    registry = make_bus(Settings(store="memory")).registry
    diagram = Diagram(flow.mermaid(registry))

    rows = [*registry.events.values(), registry.commands.values()]
    assert diagram.all("command") == {command.__name__ for command in registry.commands}
    assert diagram.all("event") == {event.__name__ for event in registry.events}
    assert diagram.all("handler") == {type(one).__name__ for row in rows for one in row}
