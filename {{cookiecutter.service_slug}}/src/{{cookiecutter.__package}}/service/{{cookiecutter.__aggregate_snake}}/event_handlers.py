"""The event handlers: pure decisions on which commands follow, from the event alone."""

from collections.abc import Iterable

from ...bus import EventHandler, FollowUp
from ...domain.{{ cookiecutter.__aggregate_snake }} import commands, events


class When{{ cookiecutter.__aggregate }}Created(
    EventHandler[events.{{ cookiecutter.__aggregate }}Created],
):
    """What was taken in is processed."""

    def handle(
        self,
        event: events.{{ cookiecutter.__aggregate }}Created,
    ) -> Iterable[commands.Process{{ cookiecutter.__aggregate }}]:
        yield commands.Process{{ cookiecutter.__aggregate }}(
            {{ cookiecutter.__aggregate_snake }}_id=event.{{ cookiecutter.__aggregate_snake }}_id,
        )


class When{{ cookiecutter.__aggregate }}Processed(
    EventHandler[events.{{ cookiecutter.__aggregate }}Processed],
):
    """What was processed is archived. A call to the outside is out of order, so that nothing waits
    for it while the other system is down."""

    def handle(
        self,
        event: events.{{ cookiecutter.__aggregate }}Processed,
    ) -> Iterable[FollowUp[commands.Archive{{ cookiecutter.__aggregate }}]]:
        yield FollowUp(
            commands.Archive{{ cookiecutter.__aggregate }}(
                {{ cookiecutter.__aggregate_snake }}_id=event.{{ cookiecutter.__aggregate_snake }}_id,
            ),
            in_order=False,
        )
