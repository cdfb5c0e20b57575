"""The command handlers: each gets the aggregate from the unit of work, and lets it decide."""

import msgspec

from ...bus import CommandHandler, UnitOfWork
from ...domain.{{ cookiecutter.__aggregate_snake }} import aggregate, commands
from ..ports import files


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


class Process{{ cookiecutter.__aggregate }}Handler(
    CommandHandler[commands.Process{{ cookiecutter.__aggregate }}],
):
    """Does the work."""

    def handle(
        self,
        command: commands.Process{{ cookiecutter.__aggregate }},
        uow: UnitOfWork,
    ) -> None:
        found = uow.get(
            aggregate.{{ cookiecutter.__aggregate }},
            command.{{ cookiecutter.__aggregate_snake }}_id,
        )
        found.process()


class Archive{{ cookiecutter.__aggregate }}Handler(
    CommandHandler[commands.Archive{{ cookiecutter.__aggregate }}],
):
    """Writes the result to the file store. The id gives its name, so that a second run leaves one
    file."""

    def __init__(self, archive: files.FileStore) -> None:
        self._archive = archive

    def handle(
        self,
        command: commands.Archive{{ cookiecutter.__aggregate }},
        uow: UnitOfWork,
    ) -> None:
        found = uow.get(
            aggregate.{{ cookiecutter.__aggregate }},
            command.{{ cookiecutter.__aggregate_snake }}_id,
        )
        location = self._archive.put(
            f"{{ cookiecutter.__plural_snake }}/{found.id}.json",
            msgspec.json.encode(found.to_archive()),
        )
        found.archived(location)
