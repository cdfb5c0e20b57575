"""`create-store`: creates what the store needs."""

import argparse

from ... import bootstrap
from ...config import Settings
from . import terminal
from .subcommand import Subcommand


def _create_store(settings: Settings, _options: argparse.Namespace) -> None:
    done = bootstrap.create_store(settings)
    terminal.say("done" if done else f"STORE={settings.store}: there is nothing to create")


CREATE_STORE = Subcommand(
    "create-store", "create what the store needs, or bring it up to date", _create_store
)
