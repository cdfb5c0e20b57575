"""What runs a command: it asks the unit of work for the aggregate, and lets the aggregate decide."""

import msgspec

from ...bus import CommandHandler, UnitOfWork
from ...domain.{{ cookiecutter.__aggregate_snake }} import aggregate, commands
from ..ports import files


class Create{{ cookiecutter.__aggregate }}Handler(
    CommandHandler[commands.Create{{ cookiecutter.__aggregate }}],
):
    """Takes in a new one. An id that is taken is refused by the commit."""

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
    """Writes the result to the file store, under a name fixed by the id: again is no harm."""

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
