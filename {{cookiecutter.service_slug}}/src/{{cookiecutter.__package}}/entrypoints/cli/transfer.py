"""`export` and `import`: move all data from one store into another, as JSON lines.

The first line is the header, the last one the number of lines. Between them are the commits in
order, the pending commands (dead letters too) and the idempotency records: all data that cannot be
derived. An imported event leads to no commands again; only the imported pending commands run.
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
    """The first line of the file. `export_id` identifies the export."""

    export_id: str
    format: int = 1


class End(msgspec.Struct, frozen=True, tag="end"):
    """The last line of the file: it shows that the file is complete."""

    lines: int


class Output(Protocol):
    """Where an export is written to, a line at a time."""

    def write(self, line: bytes, /) -> object: ...

    def flush(self) -> object: ...


class NotDone(Refusal):
    """The export or import was refused; nothing was written."""


_line: msgspec.json.Decoder[Stored | Header | End] = msgspec.json.Decoder(Stored | Header | End)


def write(settings: Settings, options: argparse.Namespace) -> None:
    """Export the store to a file. Raises `NotDone` if the file exists already."""
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
    """Import a file; see `take_in`."""
    with closing(open_store(settings)) as store:
        take_in(store, options.file)


def take_in(store: EventStore, path: Path) -> None:
    """Import an export. The whole file is checked before anything is written. If an import was
    interrupted, the next run continues it. No worker may run on the store meanwhile.

    Raises `NotDone` for a file that is not a complete export, and for a store that holds anything
    else.
    """
    header, lines = _checked(path)
    done, progress = _begun(store, header), terminal.Progress("import", "lines")
    with path.open("rb") as file:
        for batch in _batches(islice(_stored(file), done, None)):
            store.restore(batch)
            done += len(batch)
            _save_progress(store, f"{header.export_id} {done}")
            progress(done, lines)
    _save_progress(store, f"{header.export_id} complete")


def _checked(path: Path) -> tuple[Header, int]:
    """Check the whole file before anything is written."""
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
    """How many lines an earlier run of this import has written."""
    export_id, _, done = (store.views.cell(CELL) or "").partition(" ")
    if export_id == header.export_id:
        if done == "complete":
            raise NotDone("this export has been taken in already")
        return int(done)
    if store.feed(limit=1).commits or store.waiting(FOREVER, 1) or store.parked(1):
        raise NotDone("the store is not empty")
    # Before the first batch, so that a new run can continue.
    _save_progress(store, f"{header.export_id} 0")
    return 0


def _save_progress(store: EventStore, text: str) -> None:
    store.views.set_cell(CELL, text, store.views.cell(CELL))


def _export_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", help="which must not exist; - for standard output")


def _import_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", type=Path)


EXPORT = Subcommand("export", "write the whole log as JSON lines", write, _export_arguments)
IMPORT = Subcommand("import", "take in what export has written", read, _import_arguments)
