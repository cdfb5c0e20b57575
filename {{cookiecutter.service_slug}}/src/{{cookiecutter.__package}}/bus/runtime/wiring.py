"""`bootstrap()`: makes a message bus from explicit tables, after checking the wiring.

A mistake in the wiring is found here, at start, and the error names it. The container (punq) makes
each handler once; no later call uses the container.
"""

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

import msgspec
import punq

from ..model.aggregate import Aggregate
from ..model.clock import Clock, SystemClock
from ..model.errors import ConfigurationError
from ..model.handlers import CommandHandler, EventHandler, QueryHandler
from ..model.ids import IdSource, RandomIds
from ..model.messages import Command, Event, Message, Query
from ..model.projection import Projection
from ..model.recorded_event import RecordedEvent
from ..model.upcasting import Upcaster, Upcasters
from ..store.codec import Codecs
from ..store.event_store import EventStore
from .dispatch import Dispatch, Retry
from .envelope import Middleware
from .follow_ups import Parked
from .message_bus import MessageBus, Registry
from .projector import row_type
from .snapshots import Snapshots
from .subscription import Subscriber
from .supervisor import Supervisor

M = TypeVar("M", bound=type[Message])
V = TypeVar("V")
Table = Mapping[M, V] | Iterable[tuple[M, V]]
"""Rows of message type and handler. Pairs are accepted besides a dict, so that a row given twice is
noticed."""

SHAPES: dict[Any, list[list[str]]] = {
    CommandHandler: [["self", "command", "uow"]],
    EventHandler: [["self", "event"], ["self", "event", "recorded: RecordedEvent"]],
    QueryHandler: [["self", "query", "reader"]],
}
"""The parameters that the `handle` of each kind of handler may have."""


def bootstrap(
    *,
    commands: Table[type[Command], type[CommandHandler[Any]]],
    events: Table[type[Event], Iterable[type[EventHandler[Any]]]] = (),
    queries: Table[type[Query[Any]], type[QueryHandler[Any]]] = (),
    projections: Iterable[type[Projection[Any]]] = (),
    upcasters: Iterable[Upcaster] = (),
    store: EventStore,
    dependencies: Mapping[Any, Any] | None = None,
    middleware: Iterable[Middleware] = (),
    subscribers: Iterable[Callable[[MessageBus], Subscriber]] = (),
    dispatch: Dispatch | None = None,
    retry: Retry | None = None,
    snapshot_every: int = 0,
    on_parked: Parked | None = None,
    supervisor: Supervisor | None = None,
) -> MessageBus:
    """Check the wiring and make the message bus.

    `commands` and `queries` give each message type its one handler. `events` gives each event type
    its handlers, in the order they decide; several rows of one event are merged. `subscribers` are
    functions that make a subscriber of the feed, given the bus. `dependencies` maps a port to the
    adapter that implements it; handlers ask for ports in their ``__init__``. `Clock` and `IdSource`
    are ports too; by default they are the system's. `snapshot_every` is the number of events after
    which an aggregate is snapshotted; 0 means never. `on_parked` is told of each dead letter. With
    a `supervisor`, follow-ups that run inline have their time limit.

    Raises `ConfigurationError` for: two handlers of one command or query; one handler twice for one
    event; a handler in the row of another message type than its own; a `handle` with wrong
    parameters; an event that no aggregate applies; an event that one of these aggregates applies
    and no row names; a command that an event handler's return annotation names and no row handles;
    two messages, streams, projections or subscribers of one name; upcasters with a gap, a cycle or
    a duplicate; an event handler that asks for anything but settings (a frozen Struct); a
    dependency that nothing provides; with snapshots, an aggregate that sets an attribute which it
    does not annotate.
    """
    ports = {Clock: SystemClock(), IdSource: RandomIds(), **(dependencies or {})}
    make = _Maker(ports)
    command_rows = _rows(commands, "command")
    registry = Registry(
        commands={
            message: make.handler(CommandHandler, message, handler)
            for message, handler in command_rows.items()
        },
        events={
            message: tuple(make.event_handler(message, handler) for handler in row)
            for message, row in _merged(events).items()
        },
        queries={
            message: make.handler(QueryHandler, message, handler)
            for message, handler in _rows(queries, "query").items()
        },
        projections=_projections(projections),
    )
    owners = [owner for event_type in registry.events for owner in _owners_of(event_type)]
    read = [projection.aggregate for projection in registry.projections]
    aggregates = dict.fromkeys([*owners, *read])
    _refuse_events_without_row(aggregates, registry.events)
    _refuse_follow_ups_without_row(registry)
    chains = Upcasters(upcasters)
    codecs = Codecs(command_rows, aggregates, chains)
    snapshots = Snapshots(snapshot_every, chains.fingerprint() if snapshot_every else "")
    for aggregate_type in aggregates:
        snapshots.fingerprint(aggregate_type)
    return MessageBus(
        registry=registry,
        store=store,
        codecs=codecs,
        snapshots=snapshots,
        clock=ports[Clock],
        ids=ports[IdSource],
        middleware=middleware,
        subscribers=subscribers,
        dispatch=dispatch,
        retry=retry,
        on_parked=on_parked,
        supervisor=supervisor,
    )


def _rows(table: Table[M, V], kind: str) -> dict[M, V]:
    rows: dict[M, V] = {}
    for message, row in table.items() if isinstance(table, Mapping) else table:
        if message in rows:
            name = message.__name__
            raise ConfigurationError(f"{kind} {name} is listed twice: one row per {kind}")
        rows[message] = row
    return rows


def _merged(
    table: Table[type[Event], Iterable[type[EventHandler[Any]]]],
) -> dict[type[Event], list[type[EventHandler[Any]]]]:
    """Merges the rows of each event, in the order given. So a process can add event handlers to the
    events of an aggregate without changing that aggregate's table."""
    rows: dict[type[Event], list[type[EventHandler[Any]]]] = {}
    for event, handlers in table.items() if isinstance(table, Mapping) else table:
        row = rows.setdefault(event, [])
        for handler in handlers:
            if handler in row:
                raise ConfigurationError(
                    f"event {event.__name__} names the handler {_name(handler)} twice"
                )
            row.append(handler)
    return rows


class _Maker:
    """Checks handlers against their rows, and makes them."""

    def __init__(self, ports: Mapping[Any, Any]) -> None:
        self._ports = ports
        self._container = punq.Container()
        for port, adapter in ports.items():
            self._container.register(port, instance=adapter)

    def event_handler(self, message: type[Message], handler: Any) -> Any:
        """An event handler decides from the event alone: it may be given settings, nothing else."""
        for name, hint in _dependencies_of(handler).items():
            if not (isinstance(hint, type) and issubclass(hint, msgspec.Struct)):
                raise ConfigurationError(
                    f"{handler.__name__} asks for {name}: {_name(hint)}, but an event handler "
                    "decides from the event alone: it may be given settings (a frozen "
                    "msgspec.Struct); whatever reads or writes belongs in a command handler"
                )
        return self.handler(EventHandler, message, handler)

    def handler(self, kind: Any, message: type[Message], handler: Any) -> Any:
        """The one instance of this handler, made with the ports it asks for."""
        name, row = _name(handler), message.__name__
        if kind not in getattr(handler, "__mro__", ()):
            raise ConfigurationError(f"{name} in the row of {row} is not a {_name(kind)}")
        own = _own_message(handler, kind)
        if own is not message:
            raise ConfigurationError(f"{name} handles {_name(own)}, but stands in the row of {row}")
        if not hasattr(handler, "handle"):
            raise ConfigurationError(f"{name} has no method handle")
        asked, shapes = _required(handler.handle), SHAPES[kind]
        hints = _hints(handler, "handle")
        has_known_parameters = len(asked) in [len(shape) for shape in shapes]
        if kind is EventHandler and len(asked) == len(shapes[-1]):
            has_known_parameters = hints.get(asked[-1]) is RecordedEvent
        if not has_known_parameters:
            called_with = " or ".join(f"({', '.join(shape)})" for shape in shapes)
            raise ConfigurationError(
                f"{name}.handle takes ({', '.join(asked)}); {_name(kind)}.handle is called with "
                f"{called_with}"
            )
        taken = hints.get(asked[1])
        if isinstance(taken, type) and taken is not Any and not issubclass(message, taken):
            raise ConfigurationError(f"{name}.handle takes a {_name(taken)}, but handles {row}")
        for dependency, hint in _dependencies_of(handler).items():
            if hint not in self._ports:
                raise ConfigurationError(
                    f"{name} asks for {dependency}: {_name(hint)}, and nothing provides it: add it "
                    "to the dependencies given to bootstrap()"
                )
        try:
            return self._container.instantiate(handler)
        except Exception as error:
            raise ConfigurationError(f"{name} cannot be made: {error}") from error


def _name(thing: Any) -> str:
    return getattr(thing, "__name__", None) or str(thing)


def _required(function: Any) -> list[str]:
    return [
        name
        for name, parameter in inspect.signature(function).parameters.items()
        if parameter.default is parameter.empty
        and parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
    ]


def _own_message(handler: type, kind: type) -> Any:
    """The `X` of the `CommandHandler[X]` that this class, or the nearest base of it, extends."""
    for cls in handler.__mro__:
        for base in getattr(cls, "__orig_bases__", ()):
            if get_origin(base) is kind:
                return get_args(base)[0]
    return None


def _dependencies_of(handler: Any) -> dict[str, Any]:
    """The parameters that the handler's ``__init__`` asks for, with their types."""
    init = handler.__init__
    if init is object.__init__:
        return {}
    hints = _hints(handler, "__init__")
    return {name: hints.get(name) for name in _required(init)[1:]}


def _hints(handler: Any, method: str) -> dict[str, Any]:
    try:
        return get_type_hints(getattr(handler, method))
    except NameError as error:
        raise ConfigurationError(f"{_name(handler)}.{method}: {error}") from error


def follow_ups_of(handler: Any) -> list[type[Command]]:
    """The commands that the return annotation of an event handler's `handle` names, however deep:
    both of ``Iterable[Cancel | FollowUp[Refund]]``. A bare `Command` names none."""
    named = _types_in(_hints(handler, "handle").get("return"))
    return [each for each in named if issubclass(each, Command) and each is not Command]


def _types_in(annotation: Any) -> Iterator[type]:
    if isinstance(annotation, type):
        yield annotation
    for inner in get_args(annotation):
        yield from _types_in(inner)


def _refuse_events_without_row(
    aggregates: Iterable[type[Aggregate]], rows: Iterable[type[Event]]
) -> None:
    """Without a row, nothing would ever follow from an event, and nobody would have said so."""
    named = set(rows)
    for aggregate_type in aggregates:
        for event_type in aggregate_type.appliers:
            if event_type not in named:
                raise ConfigurationError(
                    f"{aggregate_type.__name__} applies {event_type.__name__}, and no row of EVENTS "
                    f"names it: add ({event_type.__name__}, []) if nothing follows from it"
                )


def _refuse_follow_ups_without_row(registry: Registry) -> None:
    for event_type, handlers in registry.events.items():
        for handler in handlers:
            for command in follow_ups_of(handler):
                # A row of a subclass will do: then the annotation names the base of several.
                if not any(issubclass(row, command) for row in registry.commands):
                    raise ConfigurationError(
                        f"{type(handler).__name__} lets {command.__name__} follow from "
                        f"{event_type.__name__}, and no row of COMMANDS handles it: add "
                        f"({command.__name__}, <its handler>)"
                    )


def _projections(
    projections: Iterable[type[Projection[Any]]],
) -> dict[type[Projection[Any]], Projection[Any]]:
    made: dict[str, Projection[Any]] = {}
    for projection in projections:
        row_type(projection)
        if projection.name in made:
            raise ConfigurationError(f"two projections are named {projection.name!r}")
        made[projection.name] = projection()
    return {type(projection): projection for projection in made.values()}


def _owners_of(event_type: type[Event]) -> list[type[Aggregate]]:
    """The aggregates that apply this event: more than one, if they inherit from the one that
    does."""
    found = [each for each in _aggregates() if event_type in each.appliers]
    if not found:
        raise ConfigurationError(
            f"no aggregate applies {event_type.__name__}: give its aggregate a method with "
            f"@applies({event_type.__name__})"
        )
    return found


def _aggregates(base: type[Aggregate] = Aggregate) -> list[type[Aggregate]]:
    direct = base.__subclasses__()
    return direct + [deeper for cls in direct for deeper in _aggregates(cls)]
