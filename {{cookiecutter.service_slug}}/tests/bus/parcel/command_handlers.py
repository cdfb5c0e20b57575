"""The command handlers: each gets the aggregate from the unit of work, and lets it decide."""

import msgspec

from {{ cookiecutter.__package }}.bus import CommandHandler, UnitOfWork

from . import aggregate, commands, files


class CreateParcelHandler(
    CommandHandler[commands.CreateParcel],
):
    """Adds a new one. The commit refuses an id that is taken."""

    def handle(self, command: commands.CreateParcel, uow: UnitOfWork) -> None:
        uow.add(aggregate.Parcel.create(command.parcel_id, command.data))


class ProcessParcelHandler(
    CommandHandler[commands.ProcessParcel],
):
    """Does the work."""

    def handle(self, command: commands.ProcessParcel, uow: UnitOfWork) -> None:
        found = uow.get(aggregate.Parcel, command.parcel_id)
        found.process()


class ArchiveParcelHandler(
    CommandHandler[commands.ArchiveParcel],
):
    """Writes the result to the file store. The id gives its name, so that a second run leaves one
    file."""

    def __init__(self, archive: files.FileStore) -> None:
        self._archive = archive

    def handle(self, command: commands.ArchiveParcel, uow: UnitOfWork) -> None:
        found = uow.get(aggregate.Parcel, command.parcel_id)
        location = self._archive.put(
            f"parcels/{found.id}.json",
            msgspec.json.encode(found.to_archive()),
        )
        found.archived(location)
