{{ aggregate_part.through('"""The command handlers') }}

import msgspec
{{ aggregate_part.through('import aggregate, commands') }}
from ..ports import files
{{ aggregate_part.rest }}


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
