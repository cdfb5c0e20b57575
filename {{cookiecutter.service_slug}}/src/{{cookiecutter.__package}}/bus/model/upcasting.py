"""Upcasters: functions that turn a stored message of an older shape into the present shape.

The log is never rewritten. A new version of an event comes with a function from the old stored
object to the new one, so that the rest of the code knows only the new shape (Young, "Versioning in
an Event Sourced System", 2017, chapter on upcasters).
"""

import inspect
import sys
from collections.abc import Callable, Iterable, Mapping
from hashlib import sha256
from typing import Any

import msgspec

from .errors import ConfigurationError, UnknownEvent
from .messages import tag_of


class Upcaster(msgspec.Struct, frozen=True):
    """Lifts a stored message `name` of `version` to the next version. If the message was renamed,
    it lifts it to the name `to` and the version `to_version`. `upcast` is a pure function from the
    old stored object to the new one, both without ``$type``."""

    name: str
    version: int
    upcast: Callable[[dict[str, Any]], dict[str, Any]]
    to: str = ""
    to_version: int = 0

    @property
    def source(self) -> str:
        """The tag of the stored message that it lifts."""
        return tag_of(self.name, self.version)

    @property
    def target(self) -> str:
        """The tag of the message that it returns."""
        return tag_of(self.to or self.name, self.to_version or self.version + 1)


class Upcasters:
    """Chains of upcasters. Raises `ConfigurationError` if two have the same source, or for a
    cycle."""

    def __init__(self, upcasters: Iterable[Upcaster] = ()) -> None:
        self._by_source: dict[str, Upcaster] = {}
        for upcaster in upcasters:
            if upcaster.source in self._by_source:
                raise ConfigurationError(f"two upcasters lift {upcaster.source!r}")
            self._by_source[upcaster.source] = upcaster
        for source in self._by_source:
            self.end(source)

    def check(self, current: Mapping[str, tuple[str, int]]) -> None:
        """Check that every chain ends at a current message. `current` maps the tag of each current
        message to its name and version. Raises `ConfigurationError` for a chain with a gap, for an
        old version without an upcaster, and for an upcaster that would never run."""
        for source in self._by_source:
            if source in current:
                raise ConfigurationError(f"an upcaster lifts {source!r}, which is current")
            if self.end(source) not in current:
                raise ConfigurationError(
                    f"upcasters lift {source!r} to {self.end(source)!r}, which no message is"
                )
        for tag, (name, version) in current.items():
            for older in range(1, version):
                if tag_of(name, older) not in self._by_source:
                    raise ConfigurationError(
                        f"no upcaster lifts {tag_of(name, older)!r} to {tag!r}"
                    )

    def lift(self, stored: dict[str, Any]) -> dict[str, Any]:
        """Apply the chain of upcasters to a stored object. Raises `UnknownEvent` if an upcaster
        fails, or returns anything but one new object."""
        tag = stored.get("$type", "")
        while (upcaster := self._by_source.get(tag)) is not None:
            fields = {name: value for name, value in stored.items() if name != "$type"}
            try:
                lifted: Any = upcaster.upcast(fields)
            except Exception as error:
                raise UnknownEvent(f"the upcaster of {tag!r} failed: {error!r}") from error
            if not isinstance(lifted, dict):
                raise UnknownEvent(
                    f"the upcaster of {tag!r} returned a {type(lifted).__name__}, but must return "
                    "a dict: one stored message is read as one message, never as several"
                )
            stored, tag = {"$type": upcaster.target, **lifted}, upcaster.target
        return stored

    def fingerprint(self) -> str:
        """A hash of the upcasters and the source of their modules. It changes when that code
        changes."""
        parts = [f"{upcaster.source} {upcaster.target}" for upcaster in self._by_source.values()]
        modules = {upcaster.upcast.__module__ for upcaster in self._by_source.values()}
        parts += [inspect.getsource(sys.modules[name]) for name in sorted(modules)]
        return sha256("\0".join(parts).encode()).hexdigest() if self._by_source else ""

    def end(self, tag: str) -> str:
        """The tag that a stored message of this tag is lifted to; the same if no upcaster lifts
        it."""
        seen = [tag]
        while (upcaster := self._by_source.get(seen[-1])) is not None:
            if upcaster.target in seen:
                raise ConfigurationError(
                    f"upcasters go round: {' → '.join([*seen, upcaster.target])}"
                )
            seen.append(upcaster.target)
        return seen[-1]
