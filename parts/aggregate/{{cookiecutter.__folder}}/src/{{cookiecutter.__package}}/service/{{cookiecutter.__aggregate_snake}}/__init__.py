"""The wiring of the {{ cookiecutter.__aggregate_words }}: the whole workflow, as tables.

Each command has one handler. Each event names the handlers that decide what follows, in order; an
empty row is an end of the flow.
"""

from typing import Any

from ...bus import Event, EventHandler
from ...domain.{{ cookiecutter.__aggregate_snake }} import commands, events, upcasters
from . import (
    command_handlers,
    projections,
    queries,
)

COMMANDS = (
    (
        commands.Create{{ cookiecutter.__aggregate }},
        command_handlers.Create{{ cookiecutter.__aggregate }}Handler,
    ),
)

PUBLIC = (  # what outsiders may send by name: over a queue, or from the command line
    commands.Create{{ cookiecutter.__aggregate }},
)

EVENTS: tuple[tuple[type[Event], list[type[EventHandler[Any]]]], ...] = (
    (
        events.{{ cookiecutter.__aggregate }}Created,
        [],
    ),
)

QUERIES = (
    (
        queries.Get{{ cookiecutter.__aggregate }},
        queries.Get{{ cookiecutter.__aggregate }}Handler,
    ),
    (
        queries.Get{{ cookiecutter.__aggregate }}History,
        queries.Get{{ cookiecutter.__aggregate }}HistoryHandler,
    ),
    (
        queries.Get{{ cookiecutter.__aggregate }}List,
        queries.Get{{ cookiecutter.__aggregate }}ListHandler,
    ),
)

PROJECTIONS = (  # one name per read model
    projections.{{ cookiecutter.__aggregate }}List,
)

UPCASTERS = upcasters.UPCASTERS
