"""A service of parcels, for the tests of what is vendored: the workflow as tables."""

from typing import Any

from {{ cookiecutter.__package }}.bus import Event, EventHandler

from . import command_handlers, commands, event_handlers, events, projections, queries

COMMANDS = (
    (commands.CreateParcel, command_handlers.CreateParcelHandler),
    (commands.ProcessParcel, command_handlers.ProcessParcelHandler),
    (commands.ArchiveParcel, command_handlers.ArchiveParcelHandler),
)

PUBLIC = (commands.CreateParcel,)

EVENTS: tuple[tuple[type[Event], list[type[EventHandler[Any]]]], ...] = (
    (events.ParcelCreated, [event_handlers.WhenParcelCreated]),
    (events.ParcelProcessed, [event_handlers.WhenParcelProcessed]),
    (events.ParcelFailed, []),
    (events.ParcelArchived, []),
)

QUERIES = (
    (queries.GetParcel, queries.GetParcelHandler),
    (queries.GetParcelHistory, queries.GetParcelHistoryHandler),
    (queries.GetParcelList, queries.GetParcelListHandler),
    (queries.GetParcelRow, queries.GetParcelRowHandler),
)

PROJECTIONS = (projections.ParcelList,)

UPCASTERS = ()
