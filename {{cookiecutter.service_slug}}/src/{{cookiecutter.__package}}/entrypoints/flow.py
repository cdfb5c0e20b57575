"""The wiring of the service as a Mermaid flowchart, drawn from the registry of the bus.

The registry says which handler runs a command and which handlers an event has. What a handler leads
to is read from its code, and nothing is run: the commands that an event handler decides on from its
return annotation, which mypy holds against the code; the events that a command handler can record
from the names which it, and the methods of the aggregates it calls, refer to.
"""

from collections.abc import Callable, Iterable, Iterator
from types import CodeType, FunctionType, MethodType, ModuleType
from typing import Any, get_args, get_type_hints

from ..bus import Aggregate, Command, Event, Registry

SHAPES = {"command": '["{}"]', "handler": '("{}")', "event": '(["{}"])'}
COLOURS = {"command": "#a6d8f5", "handler": "#f7f0b5", "event": "#fdb566"}  # of event storming
OUTSIDE = "outside(((outside)))"


def mermaid(registry: Registry) -> str:
    """The flowchart: outside, command, handler, the events it can record, their handlers, ..."""
    edges: dict[tuple[str, str], None] = {}
    decided: set[type] = set()
    for event, handlers in registry.events.items():
        for handler in handlers:
            edges[_node("event", event), _node("handler", type(handler))] = None
            for command in _named(Command, _commands_of(handler)):
                decided.add(command)
                edges[_node("handler", type(handler)), _node("command", command)] = None
    for command, command_handler in registry.commands.items():
        if command not in decided:
            edges[OUTSIDE, _node("command", command)] = None
        edges[_node("command", command), _node("handler", type(command_handler))] = None
        for event in _named(Event, _reachable(command_handler)):
            edges[_node("handler", type(command_handler)), _node("event", event)] = None
    lines = [f"    {source} --> {target}" for source, target in edges]
    colours = [f"    classDef {kind} fill:{colour},color:#000" for kind, colour in COLOURS.items()]
    return "\n".join(["flowchart LR", *lines, *colours])


def _node(kind: str, named: type) -> str:
    name = named.__name__
    return f"{kind}_{name}{SHAPES[kind].format(name)}:::{kind}"


def _named(kind: type, things: Iterable[Any]) -> list[type]:
    return [each for each in things if isinstance(each, type) and issubclass(each, kind)]


def _commands_of(handler: Any) -> Iterator[Any]:
    """Those in the return annotation of `handle`; if it names none, those in its code."""
    returned = list(_types_in(get_type_hints(handler.handle).get("return")))
    named = [each for each in _named(Command, returned) if each is not Command]
    yield from named or _reachable(handler)


def _types_in(annotation: Any) -> Iterator[Any]:
    yield annotation
    for inner in get_args(annotation):
        yield from _types_in(inner)


def _reachable(handler: Any) -> list[Any]:
    """All that the code of `handle` refers to, through the functions and methods of this service
    that it calls. A method counts as called if its name stands in the code of a handler, or of an
    aggregate, that has it."""
    package = __name__.partition(".")[0]
    seen: dict[Any, None] = {}
    owners: list[Any] = [type(handler)]
    todo: list[Any] = [handler.handle]
    ...
    return list(seen)
