"""A service in which what has ``hangs`` in its id hangs for ever: a call to the file store or, if
the id begins with it, the command itself."""

from threading import Event
from typing import Any

from {{ cookiecutter.__package }} import bootstrap
from {{ cookiecutter.__package }}.bus import Envelope, Next
from {{ cookiecutter.__package }}.config import Settings, load_settings
from {{ cookiecutter.__package }}.entrypoints.api import server
from {{ cookiecutter.__package }}.observability import log

from ..parcel.files import DiskFileStore, FileStore
from . import parcels


def hang(envelope: Envelope, handle: Next) -> Any:
    new_id: str = getattr(envelope.message, "parcel_id", "")
    if new_id.startswith("hangs") and not envelope.consumes:
        Event().wait()
    return handle(envelope)


class HangingFiles(DiskFileStore):
    def put(self, name: str, content: bytes) -> str:
        if "hangs" in name:
            Event().wait()
        return super().put(name, content)


def open_files(settings: Settings) -> FileStore:
    return HangingFiles(settings.sqlite_path.parent / "files")


parcels.install()
bootstrap.MIDDLEWARE += (hang,)
bootstrap.PORTS = ((FileStore, open_files),)
settings = load_settings()
log.configure(settings)
server.serve(settings)
