"""The event handlers: pure decisions on which commands follow, from the event alone."""

from collections.abc import Iterable

from {{ cookiecutter.__package }}.bus import EventHandler, FollowUp

from . import commands, events


class WhenParcelCreated(
    EventHandler[events.ParcelCreated],
):
    """What was taken in is processed."""

    def handle(self, event: events.ParcelCreated) -> Iterable[commands.ProcessParcel]:
        yield commands.ProcessParcel(parcel_id=event.parcel_id)


class WhenParcelProcessed(
    EventHandler[events.ParcelProcessed],
):
    """What was processed is archived. A call to the outside is out of order, so that nothing waits
    for it while the other system is down."""

    def handle(self, event: events.ParcelProcessed) -> Iterable[FollowUp[commands.ArchiveParcel]]:
        yield FollowUp(
            commands.ArchiveParcel(parcel_id=event.parcel_id),
            in_order=False,
        )
