"""The command line. A wrong setting ends it with code 2, anything else that fails with 1."""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

from ... import __version__
from ...bootstrap import create_store, make_bus
from ...bus import (
    AggregateNotFound,
    ConfigurationError,
    DomainError,
    Query,
    RecordedEvent,
    StoreError,
)
from ...bus import __version__ as bus_version
from ...config import Settings, load_settings
from ...observability import log
from ...service.{{ cookiecutter.__aggregate_snake }} import queries
from .. import shapes, strict
from . import dead_letters, operations, transfer

PROGRAM = "{{ cookiecutter.service_slug }}"
AGGREGATE = "{{ cookiecutter.__aggregate }}"

R = TypeVar("R")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command. Returns the exit code."""
    options = _parser().parse_args(arguments)
    try:
        options.run(load_settings(), options)
    except ConfigurationError as error:
        return _fail(2, error)
    except (DomainError, StoreError, dead_letters.NotThere, transfer.NotDone) as error:
        return _fail(1, error)
    return 0


def _fail(code: int, error: Exception) -> int:
    print(f"{PROGRAM}: {' '.join(str(error).split())}", file=sys.stderr)
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=PROGRAM)
    versions = f"{PROGRAM} {__version__} (bus {bus_version})"
    parser.add_argument("--version", action="version", version=versions)
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")

    def command(name: str, run: Any, text: str) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.")
        added.set_defaults(run=run)
        return added

    serve = command("serve", _serve, "serve the HTTP API on HOST:PORT")
    serve.add_argument("--reload", action="store_true", help="start again when the code changes")
    command("worker", _worker, "run what a stop or a fault left behind (see WORKER=external)")
    history = command("history", _history, "show all that happened, in order")
    history.add_argument("id", metavar="ID")
    history.add_argument("--json", action="store_true", help="as the HTTP API shows it")
    state = command("state", _state, "show the state as JSON")
    state.add_argument("id", metavar="ID")
    state.add_argument("--at", metavar="VERSION", type=_version, help="as it was then")
    dead_letters.add_to(
        command("dead-letters", dead_letters.run, "list, show, replay or drop what was given up")
    )
    command("status", operations.status, "show what is open, and how far the read models are")
    feed = command("feed", operations.feed, "follow events live, until interrupted")
    feed.add_argument("--all", action="store_true", help="from the first event on")
    feed.add_argument("--once", action="store_true", help="end when there is no more")
    feed.add_argument("--json", action="store_true", help="a JSON object a line")
    rebuild = command("rebuild", operations.rebuild, "make a read model anew from the events")
    rebuild.add_argument("name", metavar="NAME", help="as `status` shows it")
    export = command("export", transfer.write, "write the whole log as JSON lines")
    export.add_argument("file", metavar="FILE", help="which must not exist; - for standard output")
    import_ = command("import", transfer.read, "take in what export has written")
    import_.add_argument("file", metavar="FILE", type=Path)
    command("flow", _flow, "draw the wiring of commands and events as a Mermaid flowchart")
    command("create-store", _create_store, "create what the store needs, or bring it up to date")
    return parser


def _version(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError("must be a number from 1 on")
    return int(text)


def _serve(settings: Settings, options: argparse.Namespace) -> None:
    from ..api import server  # here, so that the other commands start without a web framework

    log.configure(settings)
    server.serve(settings, reload=options.reload)


def _worker(settings: Settings, _options: argparse.Namespace) -> None:
    from .. import worker

    log.configure(settings)
    worker.run(settings)


def _history(settings: Settings, options: argparse.Namespace) -> None:
    query = queries.Get{{ cookiecutter.__aggregate }}History(
        {{ cookiecutter.__aggregate_snake }}_id=_known(options.id),
    )
    recorded = _ask(settings, query)
    if options.json:
        _print_json({"events": [_entry(one) for one in recorded]})
    else:
        for one in recorded:
            print(operations.line(one))


def _entry(recorded: RecordedEvent) -> dict[str, Any]:
    return {**asdict(shapes.history_entry(recorded)), "command": recorded.command}


def _state(settings: Settings, options: argparse.Namespace) -> None:
    query = queries.Get{{ cookiecutter.__aggregate }}(
        {{ cookiecutter.__aggregate_snake }}_id=_known(options.id),
        at=options.at,
    )
    _print_json(asdict(shapes.state(_ask(settings, query))))


def _ask(settings: Settings, query: Query[R]) -> R:
    log.configure(_quiet(settings))
    bus = make_bus(settings)
    try:
        return bus.ask(query)
    finally:
        bus.store.close()


def _quiet(settings: Settings) -> Settings:
    """For commands that say in one line what went wrong: no second one from the log."""
    return settings.model_copy(update={"log_level": "error"})


def _known(text: str) -> str:
    if not strict.is_id(text):
        raise AggregateNotFound(AGGREGATE, text)
    return text


def _print_json(answer: dict[str, Any]) -> None:
    print(json.dumps(answer, indent=2, ensure_ascii=False))


def _flow(settings: Settings, _options: argparse.Namespace) -> None:
    from . import flow

    in_memory = settings.model_copy(update={"store": "memory"})  # the wiring needs no store
    print(flow.mermaid(make_bus(in_memory).registry))


def _create_store(settings: Settings, _options: argparse.Namespace) -> None:
    done = create_store(settings)
    print("done" if done else f"STORE={settings.store}: there is nothing to create")


if __name__ == "__main__":
    sys.exit(main())
