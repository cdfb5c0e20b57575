"""The diagram of a wiring, drawn from the registry of the bus."""

from collections.abc import Iterable

import msgspec

from {{ cookiecutter.__package }}.adapters.event_store.memory import MemoryEventStore
from {{ cookiecutter.__package }}.bootstrap import make_bus
from {{ cookiecutter.__package }}.bus import (
    Aggregate,
    Command,
    CommandHandler,
    Event,
    EventHandler,
    Registry,
    UnitOfWork,
)
from {{ cookiecutter.__package }}.config import Settings
from {{ cookiecutter.__package }}.entrypoints.cli import flow

from ...support.diagram import Diagram
from ..support import counter

NAME = "Parcel"


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


def test_commands_that_no_annotation_names_are_found_in_the_code() -> None:
    registry = counter.make_bus(MemoryEventStore()).registry

    assert Diagram(flow.mermaid(registry)).workflow() == {
        ("outside", "Open"),
        ("Open", "Opened"),
        ("Add", "Added"),
        ("Added", "Add"),
    }


class Weigh(Command):
    """Its handler reaches its events in every way that code has."""


class Weighed(Event):
    pass


class FoundHeavy(Event):
    pass


class FoundLight(Event):
    pass


class FoundMissing(Event):
    pass


class Unrelated(Event):
    """Its aggregate could record it, and no handler lets it."""


class Scales(Aggregate):
    def weigh(self) -> None:
        self.record(Weighed())
        self._judge()

    def _judge(self) -> None:
        heavy = (FoundHeavy() for _ in range(1))  # code within code
        self.record(next(heavy))

    @classmethod
    def missing(cls) -> "Scales":
        scales = cls("none")
        scales.record(FoundMissing())
        return scales

    def unrelated(self) -> None:
        self.record(Unrelated())


def find_light(scales: Scales) -> None:
    scales.record(FoundLight())


class WeighHandler(CommandHandler[Weigh]):
    def handle(self, command: Weigh, uow: UnitOfWork) -> None:
        self._weigh(uow)

    def _weigh(self, uow: UnitOfWork) -> None:
        scales = uow.get(Scales, "1")
        scales.weigh()
        find_light(scales)
        uow.add(Scales.missing())


class WhenWeighed(EventHandler[Weighed]):
    def handle(self, event: Weighed) -> Iterable[counter.Open | counter.Add]:
        yield counter.Open(counter_id=str(event))


def test_events_are_found_through_helpers_methods_and_class_methods() -> None:
    registry = Registry(
        commands={Weigh: WeighHandler()},
        events={Weighed: (WhenWeighed(),)},
        queries={},
        projections={},
    )

    assert Diagram(flow.mermaid(registry)).workflow() == {
        ("outside", "Weigh"),
        ("Weigh", "Weighed"),
        ("Weigh", "FoundHeavy"),
        ("Weigh", "FoundLight"),
        ("Weigh", "FoundMissing"),
        ("Weighed", "Open"),
        ("Weighed", "Add"),
    }


def test_two_of_one_name_stay_two() -> None:
    other = type("Add", (Command,), {"__module__": __name__})
    handler = type("AddHandler", (), {"handle": lambda self, command, uow: None})
    registry = counter.make_bus(MemoryEventStore()).registry
    both = msgspec.structs.replace(registry, commands={**registry.commands, other: handler()})

    diagram = Diagram(flow.mermaid(both))

    assert [label for label, _ in diagram.nodes.values()].count("Add") == 2
    assert ("Add_2", "AddHandler_2") in diagram.edges
