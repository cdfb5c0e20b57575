"""`serve` and `worker`: the commands that run until they are stopped."""

import argparse

from ...config import Settings
from ...observability import log
from .subcommand import Subcommand


def _serve_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--reload", action="store_true", help="start again when the code changes")


def _serve(settings: Settings, options: argparse.Namespace) -> None:
    from ..api import server  # imported here: other commands need no web framework

    log.configure(settings)
    server.serve(settings, reload=options.reload)


def _worker(settings: Settings, _options: argparse.Namespace) -> None:
    from .. import worker

    log.configure(settings)
    worker.run(settings)


SERVE = Subcommand("serve", "serve the HTTP API on HOST:PORT", _serve, _serve_arguments)
WORKER = Subcommand(
    "worker", "run what a stop or a fault left behind (see WORKER=external)", _worker
)
