"""Snapshots: the state of an aggregate after a commit, stored so that a load can begin there.

A snapshot is a cache and nothing else. It is written after a commit, best effort, with a
fingerprint of the code that made it. If the source of the domain, the upcasters, the codec or the
aggregate's `snapshot_version` have changed since, the snapshot is ignored and the whole stream is
folded again.
"""

import sys
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar, get_type_hints
from warnings import warn
from zlib import crc32

import msgspec

from ..model.aggregate import Aggregate
from ..model.errors import ConfigurationError
from ..store.codec import CODEC_VERSION
from ..store.stream import Snapshot
from .attributes import attributes_set_by

A = TypeVar("A", bound=Aggregate)

NOT_STATE = {"id", "version", "journal"}


class Snapshots:
    """Takes a snapshot of an aggregate after every `every` events; never, if `every` is 0.

    `upcasters` is the fingerprint of the upcasters in use.
    """

    def __init__(self, every: int = 0, upcasters: str = "") -> None:
        self.every, self._upcasters = every, upcasters
        self._fingerprints: dict[type[Aggregate], str] = {}
        self._hints: dict[type[Aggregate], dict[str, Any]] = {}

    def fingerprint(self, aggregate_type: type[Aggregate]) -> str:
        """A hash of the code that folds this aggregate; empty if no snapshots are taken.

        Raises `ConfigurationError` if the source code cannot be read, or if it sets an attribute
        that the class does not annotate.
        """
        if not self.every:
            return ""
        found = self._fingerprints.get(aggregate_type)
        if found is None:
            parts = (
                _source(aggregate_type),
                self._upcasters,
                f"{CODEC_VERSION} {aggregate_type.__qualname__} {aggregate_type.snapshot_version}",
            )
            self._refuse_attributes_without_type(aggregate_type)
            found = sha256("\0".join(parts).encode()).hexdigest()[:32]
            self._fingerprints[aggregate_type] = found
        return found

    def are_due(self, aggregate: Aggregate, since: int) -> bool:
        """Whether the aggregate has `every` or more events after the version `since`."""
        return bool(self.every) and aggregate.version - since >= self.every

    def take(self, aggregate: Aggregate) -> Snapshot | None:
        """The snapshot of an aggregate. None, with a warning, if its state would not be equal after
        decoding: for example an attribute without a type annotation that JSON turns into another
        type."""
        state = {name: each for name, each in vars(aggregate).items() if name not in NOT_STATE}
        kind, stream_id = type(aggregate), aggregate.stream_of(aggregate.id)
        reason = "it comes back from JSON as another"
        try:
            text = msgspec.json.encode(state)
            if self._state(kind, text) == state:
                checked = f"{crc32(text):08x}{text.decode()}"
                return Snapshot(stream_id, aggregate.version, self.fingerprint(kind), checked)
        except (TypeError, ValueError, OverflowError, RecursionError) as error:
            reason = str(error)
        warn(f"{stream_id}: its state cannot be kept as a snapshot: {reason}", stacklevel=2)
        return None

    def restore(self, aggregate_type: type[A], aggregate_id: str, snapshot: Snapshot) -> A | None:
        """The aggregate of a snapshot; None if the snapshot is damaged: its checksum is wrong."""
        checksum, text = snapshot.state[:8], snapshot.state[8:].encode()
        if checksum != f"{crc32(text):08x}":
            return None
        aggregate = aggregate_type(aggregate_id)
        vars(aggregate).update(self._state(aggregate_type, text), version=snapshot.version)
        return aggregate

    def _state(self, aggregate_type: type[Aggregate], text: bytes) -> dict[str, Any]:
        hints = self._hints_of(aggregate_type)
        return {
            name: msgspec.convert(value, hints.get(name, Any), str_keys=True)
            for name, value in msgspec.json.decode(text, type=dict[str, Any]).items()
        }

    def _hints_of(self, aggregate_type: type[Aggregate]) -> dict[str, Any]:
        hints = self._hints.get(aggregate_type)
        if hints is None:
            try:
                hints = self._hints[aggregate_type] = get_type_hints(aggregate_type)
            except NameError as error:
                raise ConfigurationError(f"{aggregate_type.__name__}: {error}") from error
        return hints

    def _refuse_attributes_without_type(self, aggregate_type: type[Aggregate]) -> None:
        missing = dict.fromkeys(attributes_set_by(aggregate_type))
        for name in [*NOT_STATE, *self._hints_of(aggregate_type)]:
            missing.pop(name, None)
        if missing:
            raise ConfigurationError(
                f"SNAPSHOT_EVERY: {aggregate_type.__name__} sets {', '.join(missing)}, and no "
                "annotation in the class says of which type, so that a snapshot could give back "
                f"another: write `{next(iter(missing))}: <its type>` in the body of the class"
            )


def _source(aggregate_type: type[Aggregate]) -> str:
    """The source of the whole domain: of the package that contains the aggregate's own package."""
    file = getattr(sys.modules.get(aggregate_type.__module__), "__file__", None)
    folder = Path(file).parent if file else None
    if folder and aggregate_type.__module__.count(".") > 2:
        folder = folder.parent
    sources = sorted(folder.rglob("*.py")) if folder else []
    if not sources:
        raise ConfigurationError(
            f"SNAPSHOT_EVERY: the source of {aggregate_type.__name__} is not at hand, so that "
            "nothing would tell a snapshot made by other code: set it to 0"
        )
    return "\0".join(f"{path.name}\0{path.read_text('utf-8')}" for path in sources)
