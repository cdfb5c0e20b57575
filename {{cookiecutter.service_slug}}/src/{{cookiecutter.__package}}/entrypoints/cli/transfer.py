"""Moving house: the whole log as JSON lines, from one store into another.

The first line says what the file is, the last one how many lines it has, and between them stand the
commits in order, the pending commands (dead letters too) and the idempotency records: all that cannot
be made again. What follows from an imported event has followed already; only what was open is run.
"""

import argparse
import sys
from collections.abc import Iterable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Protocol
from uuid import uuid4

import msgspec

from ...bootstrap import open_store
from ...bus import EventStore, Stored
from ...config import Settings
from . import terminal
from .subcommand import Refusal, Subcommand

BATCH = 500
CELL = "import"
FOREVER = datetime.max.replace(tzinfo=UTC)


class Header(msgspec.Struct, frozen=True, tag="export"):
    """What the file is. `export_id` tells one export from another."""

    export_id: str
    format: int = 1


class End(msgspec.Struct, frozen=True, tag="end"):
    """That the file is whole."""

    lines: int


class Output(Protocol):
    """What an export is written to, a line at a time."""

    def write(self, line: bytes, /) -> object: ...

    def flush(self) -> object: ...


class NotDone(Refusal):
    """The export or import was refused; nothing was written."""


_line: msgspec.json.Decoder[Stored | Header | End] = msgspec.json.Decoder(Stored | Header | End)


def write(settings: Settings, options: argparse.Namespace) -> None:
    """Write what the store holds. Raises `NotDone` if the file is there already."""
    with closing(open_store(settings)) as store:
        if options.file == "-":
            _write(store, terminal.Lines() if sys.stdout.isatty() else sys.stdout.buffer)
            return
        try:
            with Path(options.file).open("xb") as out:
                lines = _write(store, out)
        except OSError as error:
            raise NotDone(f"{options.file}: {error.strerror}") from error
    terminal.tell(f"{lines:,} lines in {options.file}")


def _write(store: EventStore, out: Output) -> int:
    lines = 0
    out.write(msgspec.json.encode(Header(uuid4().hex)) + b"\n")
    for stored in store.dump():
        out.write(msgspec.json.encode(stored) + b"\n")
        lines += 1
    out.write(msgspec.json.encode(End(lines)) + b"\n")
    out.flush()
    return lines


def read(settings: Settings, options: argparse.Namespace) -> None:
    """Take the file in, as `take_in` says."""
    with closing(open_store(settings)) as store:
        take_in(store, options.file)


def take_in(store: EventStore, path: Path) -> None:
    """Take in an export: whole or not at all; one that was interrupted goes on. No worker may run on
    the store meanwhile.

    Raises `NotDone` for a file that is not a whole export, and for a store that holds anything else.
    """
    header, lines = _checked(path)
    done, progress = _begun(store, header), terminal.Progress("import", "lines")
    with path.open("rb") as file:
        for batch in _batches(islice(_stored(file), done, None)):
            store.restore(batch)
            done += len(batch)
            _note(store, f"{header.export_id} {done}")
            progress(done, lines)
    _note(store, f"{header.export_id} complete")


def _checked(path: Path) -> tuple[Header, int]:
    """Read the file once, before anything is written."""
    number, header, last = 0, None, None
    try:
        with path.open("rb") as file:
            for number, text in enumerate(file, 1):
                last = _line.decode(text)
                if number == 1 and isinstance(last, Header) and last.format == 1:
                    header = last
    except OSError as error:
        raise NotDone(f"{path}: {error.strerror}") from error
    except ValueError as error:
        raise NotDone(f"{path}, line {number}: {error}") from error
    if header is None:
        raise NotDone(f"{path}: not an export of format 1")
    if not isinstance(last, End) or last.lines != number - 2:
        raise NotDone(f"{path}: it ends too early, after {number:,} lines")
    return header, last.lines


def _stored(file: Iterable[bytes]) -> Iterator[Stored]:
    for text in file:
        stored = _line.decode(text)
        if not isinstance(stored, Header | End):
            yield stored


def _batches(stored: Iterator[Stored]) -> Iterator[list[Stored]]:
    while batch := list(islice(stored, BATCH)):
        yield batch


def _begun(store: EventStore, header: Header) -> int:
    """How many lines an earlier run has taken in."""
    export_id, _, done = (store.views.cell(CELL) or "").partition(" ")
    if export_id == header.export_id:
        if done == "complete":
            raise NotDone("this export has been taken in already")
        return int(done)
    if store.feed(limit=1).commits or store.due(FOREVER, 1) or store.parked(1):
        raise NotDone("the store is not empty")
    _note(store, f"{header.export_id} 0")  # before the first batch: it goes on by this
    return 0


def _note(store: EventStore, text: str) -> None:
    store.views.set_cell(CELL, text, store.views.cell(CELL))


def _export_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", help="which must not exist; - for standard output")


def _import_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", type=Path)


EXPORT = Subcommand("export", "write the whole log as JSON lines", write, _export_arguments)
IMPORT = Subcommand("import", "take in what export has written", read, _import_arguments)
