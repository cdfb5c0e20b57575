"""The workflow of this service, as the diagram of its wiring shows it."""

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
