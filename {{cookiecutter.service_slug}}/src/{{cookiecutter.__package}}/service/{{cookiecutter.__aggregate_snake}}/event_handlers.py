"""The event handlers: pure decisions on which commands follow, from the event alone."""

from collections.abc import Iterable

from ...bus import EventHandler
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
    """What was processed is archived."""

    def handle(
        self,
        event: events.{{ cookiecutter.__aggregate }}Processed,
    ) -> Iterable[commands.Archive{{ cookiecutter.__aggregate }}]:
        yield commands.Archive{{ cookiecutter.__aggregate }}(
            {{ cookiecutter.__aggregate_snake }}_id=event.{{ cookiecutter.__aggregate_snake }}_id,
        )
