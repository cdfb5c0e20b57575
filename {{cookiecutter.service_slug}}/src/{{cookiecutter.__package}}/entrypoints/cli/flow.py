"""The wiring of the service as a Mermaid flowchart, drawn from the registry of the bus.

The registry gives the handler of each command and the handlers of each event. What a handler leads
to is found by reading its code; no handler is run. The commands of an event handler are those in
its return annotation, which mypy checks against the code; a `FollowUp` is drawn as a dotted arrow,
because it is out of order or comes later. The events of a command handler are those that its code
names, directly or in the functions of this service that it calls.
"""

import argparse
import inspect
from collections import Counter
from collections.abc import Iterable, Iterator
from types import CodeType, FunctionType, ModuleType
from typing import Any, get_args, get_origin, get_type_hints

from ...bootstrap import make_bus
from ...bus import Command, Event, FollowUp, Registry, follow_ups_of
from ...config import Settings
from . import terminal
from .subcommand import Subcommand

BUS = Registry.__module__.rpartition(".runtime.")[0]
SHAPES = {"command": "[{}]", "handler": "({})", "event": "([{}])"}
COLOURS = {"command": "#a6d8f5", "handler": "#f7f0b5", "event": "#fdb566"}  # of event storming

Node = tuple[str, type]  # the kind and the class


def mermaid(registry: Registry) -> str:
    """The flowchart: from outside to a command, to its handler, to the events that the handler can
    record, to their handlers, to the commands that follow, and so on."""
    edges: list[tuple[Node, Node]] = []
    dotted: set[tuple[Node, Node]] = set()
    for command, command_handler in registry.commands.items():
        runs = ("handler", type(command_handler))
        edges.append((("command", command), runs))
        edges += [(runs, ("event", event)) for event in _events_of(command_handler)]
    for event, event_handlers in registry.events.items():
        for event_handler in event_handlers:
            decides = ("handler", type(event_handler))
            edges.append((("event", event), decides))
            edges += [(decides, ("command", each)) for each in _commands_of(event_handler)]
            dotted |= {(decides, ("command", each)) for each in _dispatched(event_handler)}
    follow_ups = {target for _, target in edges}
    first = [node for node, _ in edges if node[0] == "command" and node not in follow_ups]
    nodes = [node for edge in edges for node in edge]
    ids = _ids([*nodes, *(("event", event) for event in registry.events)])
    lines = ["outside(((outside)))"]
    lines += [f"{ids[node]}{SHAPES[node[0]].format(node[1].__name__)}:::{node[0]}" for node in ids]
    lines += [f"outside --> {ids[node]}" for node in dict.fromkeys(first)]
    for edge in dict.fromkeys(edges):
        source, target = edge
        lines.append(f"{ids[source]} {'-.->' if edge in dotted else '-->'} {ids[target]}")
    lines += [f"classDef {kind} fill:{colour},color:#000" for kind, colour in COLOURS.items()]
    return "\n    ".join(["flowchart LR", *lines])


def _ids(nodes: Iterable[Node]) -> dict[Node, str]:
    """The id of each node: the name of its class, with a number if another class has the same
    name."""
    ids: dict[Node, str] = {}
    taken: Counter[str] = Counter()
    for node in dict.fromkeys(nodes):
        name = node[1].__name__
        taken[name] += 1
        ids[node] = name if taken[name] == 1 else f"{name}_{taken[name]}"
    return ids


def _commands_of(handler: Any) -> list[type]:
    """The commands in the return annotation of `handle`; if it names none, those in its code."""
    return [*follow_ups_of(handler)] or _named(Command, _reachable(handler))


def _dispatched(handler: Any) -> list[type]:
    """The commands that the return annotation of `handle` names within a `FollowUp`."""
    returned = _types_in(get_type_hints(handler.handle).get("return"))
    inner = [_types_in(each) for each in returned if get_origin(each) is FollowUp]
    return [command for types in inner for command in _named(Command, types)]


def _events_of(handler: Any) -> list[type]:
    return _named(Event, _reachable(handler))


def _named(kind: type, things: Iterable[Any]) -> list[type]:
    types = [each for each in things if isinstance(each, type)]
    return [each for each in types if issubclass(each, kind) and each is not kind]


def _types_in(annotation: Any) -> Iterator[Any]:
    yield annotation
    for inner in get_args(annotation):
        yield from _types_in(inner)


def _reachable(handler: Any) -> list[Any]:
    """The modules, classes and functions of this service that the code of `handle` refers to, and
    those that the found functions refer to, and so on. A method counts if its class was found and
    the code names it: without running the code, no more can be known."""
    found: list[Any] = [type(handler).handle, type(handler)]
    while True:
        functions = [each for each in found if isinstance(each, FunctionType)]
        names = dict.fromkeys(name for each in functions for name in _names_in(each.__code__))
        values = dict.fromkeys(value for each in found for value in _resolved(each, names))
        new = [value for value in values if value not in found and _is_of_service(handler, value)]
        if not new:
            return found
        found += new


def _names_in(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names_in(constant)


def _resolved(owner: Any, names: Iterable[str]) -> Iterator[Any]:
    """The modules, functions and classes that these names stand for in a module or class, or in the
    globals of a function."""
    for name in names:
        if isinstance(owner, FunctionType):
            value = owner.__globals__.get(name)
        else:
            value = inspect.getattr_static(owner, name, None)
        value = getattr(value, "__func__", value)  # of a classmethod or staticmethod
        if isinstance(value, ModuleType | FunctionType | type):
            yield value


def _is_of_service(handler: Any, value: Any) -> bool:
    """Whether the value belongs to the service of this handler, and not to the bus or to a
    library."""
    module = value.__name__ if isinstance(value, ModuleType) else value.__module__
    package = type(handler).__module__.partition(".")[0]
    return module.partition(".")[0] == package and not f"{module}.".startswith(f"{BUS}.")


def _flow(settings: Settings, _options: argparse.Namespace) -> None:
    in_memory = settings.model_copy(update={"store": "memory"})  # the wiring needs no store
    for line in mermaid(make_bus(in_memory).registry).split("\n"):
        terminal.say(line)


FLOW = Subcommand("flow", "draw the wiring of commands and events as a Mermaid flowchart", _flow)
