"""The command handlers: each gets the aggregate from the unit of work, and lets it decide."""

from ...bus import CommandHandler, UnitOfWork
from ...domain.{{ cookiecutter.__aggregate_snake }} import aggregate, commands


class Create{{ cookiecutter.__aggregate }}Handler(
    CommandHandler[commands.Create{{ cookiecutter.__aggregate }}],
):
    """Adds a new one. The commit refuses an id that is taken."""

    def handle(
        self,
        command: commands.Create{{ cookiecutter.__aggregate }},
        uow: UnitOfWork,
    ) -> None:
        uow.add(
            aggregate.{{ cookiecutter.__aggregate }}.create(
                command.{{ cookiecutter.__aggregate_snake }}_id,
                command.data,
            )
        )
