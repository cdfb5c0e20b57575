"""A service whose calls to the file store hang for ever if the name has ``hangs`` in it."""

from threading import Event

from {{ cookiecutter.__package }} import bootstrap
from {{ cookiecutter.__package }}.adapters import files
from {{ cookiecutter.__package }}.config import Settings, load_settings
from {{ cookiecutter.__package }}.entrypoints.api import server
from {{ cookiecutter.__package }}.observability import log
from {{ cookiecutter.__package }}.service.ports.files import FileStore


class HangingFiles(files.DiskFileStore):
    def put(self, name: str, content: bytes) -> str:
        if "hangs" in name:
            Event().wait()
        return super().put(name, content)


def open_files(settings: Settings) -> FileStore:
    return HangingFiles(settings.files_path)


bootstrap.PORTS = ((FileStore, open_files),)
settings = load_settings()
log.configure(settings)
server.serve(settings)
