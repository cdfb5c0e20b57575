"""`rebuild`: builds a read model again from the events."""

import argparse

from ...bus import ConfigurationError
from ...config import Settings
from . import terminal
from .subcommand import Subcommand, opened


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", help="as `status` shows it")


def _rebuild(settings: Settings, options: argparse.Namespace) -> None:
    """Meanwhile, the old rows are still read."""
    with opened(settings) as bus:
        projector = bus.projectors.get(options.name)
        if projector is None:
            known = ", ".join(bus.projectors)
            raise ConfigurationError(f"there is no read model {options.name!r}; there is {known}")
        projector.rebuild(terminal.Progress(options.name))


REBUILD = Subcommand("rebuild", "make a read model anew from the events", _rebuild, _arguments)
