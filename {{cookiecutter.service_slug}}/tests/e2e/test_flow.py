"""The diagram of the wiring of this service, drawn from the registry of the bus."""

from {{ cookiecutter.__package }}.bootstrap import make_bus
from {{ cookiecutter.__package }}.config import Settings
from {{ cookiecutter.__package }}.entrypoints.cli import flow

from ..support.diagram import Diagram

NAME = "{{ cookiecutter.__aggregate }}"


def test_the_diagram_has_exactly_the_edges_of_the_workflow() -> None:
    diagram = Diagram(flow.mermaid(make_bus(Settings(store="memory")).registry))

    workflow = {
        ("outside", f"Create{NAME}"),
        (f"Create{NAME}", f"{NAME}Created"),
        (f"{NAME}Created", f"Process{NAME}"),
        (f"Process{NAME}", f"{NAME}Processed"),
        (f"Process{NAME}", f"{NAME}Failed"),
        (f"{NAME}Processed", f"Archive{NAME}"),
        (f"Archive{NAME}", f"{NAME}Archived"),
    }
    assert (f"When{NAME}Processed", f"Archive{NAME}") in diagram.dotted
    assert (f"When{NAME}Created", f"Process{NAME}") not in diagram.dotted
    own = {end for edge in workflow for end in edge} - {"outside"}
    assert {edge for edge in diagram.workflow() if own & set(edge)} == workflow


def test_everything_that_is_wired_is_in_the_diagram() -> None:
    registry = make_bus(Settings(store="memory")).registry
    diagram = Diagram(flow.mermaid(registry))

    rows = [*registry.events.values(), registry.commands.values()]
    assert diagram.all("command") == {command.__name__ for command in registry.commands}
    assert diagram.all("event") == {event.__name__ for event in registry.events}
    assert diagram.all("handler") == {type(one).__name__ for row in rows for one in row}
