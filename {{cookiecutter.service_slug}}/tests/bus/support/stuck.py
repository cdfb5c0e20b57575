"""A service that stops for ever before it runs the command named on its command line, so that a
test can kill it there. It logs `stuck` when it gets there."""

import sys
from datetime import timedelta
from threading import Event
from typing import Any

from {{ cookiecutter.__package }}.bootstrap import make_bus
from {{ cookiecutter.__package }}.bus import Dispatch, Envelope, Next
from {{ cookiecutter.__package }}.config import load_settings
from {{ cookiecutter.__package }}.entrypoints.api import server
from {{ cookiecutter.__package }}.entrypoints.api.app import create_app
from {{ cookiecutter.__package }}.observability import log

from ..parcel.files import DiskFileStore, FileStore
from . import parcels

WHERE = sys.argv[1]


def stick() -> None:
    log.logger.warning("stuck")
    Event().wait()


def stick_before(envelope: Envelope, handle: Next) -> Any:
    if envelope.message.message_name == WHERE:
        stick()
    return handle(envelope)


class StickyFiles(DiskFileStore):
    def put(self, name: str, content: bytes) -> str:
        location = super().put(name, content)
        if WHERE == "put":
            stick()
        return location


parcels.install()
settings = load_settings()
log.configure(settings)
bus = make_bus(
    settings,
    dependencies={FileStore: StickyFiles(settings.sqlite_path.parent / "files")},
    middleware=[stick_before],
    dispatch=Dispatch(time_limit=timedelta(milliseconds=100), grace=timedelta(milliseconds=400)),
)
server.serve(settings, lambda: create_app(bus))
