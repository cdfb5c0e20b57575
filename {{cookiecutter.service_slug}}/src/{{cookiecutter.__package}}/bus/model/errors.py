"""The errors of the bus.

There are three kinds. A `DomainError` means that a business rule refused a command; it reaches the
sender of the command. A `StoreError` means that the store refused a call or did not answer. Every
other error is a mistake in the program: in its wiring (`ConfigurationError`) or in its messages
(`CodecError`, `UnknownEvent`).
"""

from typing import Any, ClassVar, Literal, get_args

RefusalKind = Literal["conflict", "not_found", "forbidden", "gone", "invalid", "limited"]
"""What sort of refusal a `DomainError` is, in words of the domain. An entry point chooses its
answer by it: HTTP has a status for each."""


class DomainError(Exception):
    """A business rule refused a command. The base class of a service's own refusals.

    `kind` is a class variable. Making a class with an unknown kind raises `TypeError`. A refusal of
    the kind ``limited`` passes with time: after `retry_after` seconds, the sender may try again.
    That is set in the class, or in an instance.
    """

    kind: ClassVar[RefusalKind] = "conflict"
    retry_after: float = 1

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if cls.kind not in get_args(RefusalKind):
            known = ", ".join(get_args(RefusalKind))
            raise TypeError(f"{cls.__name__}.kind is {cls.kind!r}; it must be one of {known}")


class AggregateNotFound(DomainError):
    """No event was ever recorded for this aggregate."""

    kind = "not_found"

    def __init__(self, aggregate: str, aggregate_id: str) -> None:
        super().__init__(f"{aggregate} {aggregate_id!r} does not exist")
        self.aggregate, self.aggregate_id = aggregate, aggregate_id


class AggregateExists(DomainError):
    """An aggregate was added under an id that is taken."""

    def __init__(self, aggregate: str, aggregate_id: str) -> None:
        super().__init__(f"{aggregate} {aggregate_id!r} exists already")
        self.aggregate, self.aggregate_id = aggregate, aggregate_id


class IdempotencyKeyReused(DomainError):
    """The idempotency key was used before, for another request."""

    kind = "invalid"

    def __init__(self) -> None:
        super().__init__("the idempotency key was used before, for another request")


class InvalidCursor(DomainError):
    """The cursor of a list is not one that an earlier page returned."""

    kind = "invalid"


class StoreError(Exception):
    """The store refused a commit, or could not be read."""


class ConcurrencyError(StoreError):
    """Optimistic concurrency conflict: another command changed a stream after this one loaded it.

    `streams` are the ids of the changed streams. The message bus runs the command again and raises
    this error only after the last attempt.
    """

    def __init__(self, *streams: str) -> None:
        super().__init__(
            f"changed by another command meanwhile: {', '.join(streams) or 'a stream'}"
        )
        self.streams = streams


class DuplicateCommand(StoreError):
    """The command has already been handled: its pending command is no longer open, or its
    idempotency key is used."""

    def __init__(self, command: str, command_id: str) -> None:
        super().__init__(f"{command} {command_id} has already been handled")
        self.command, self.command_id = command, command_id


class RebuildSuperseded(StoreError):
    """Another rebuild of the read model began, so this one stopped without effect."""


class CommitTooLarge(StoreError):
    """A commit exceeds the limit that all stores share. Nothing was written."""


class StoreUnavailable(StoreError):
    """The store did not answer, or not in time. Whether it wrote the commit is unknown."""


class CodecError(ValueError):
    """A message cannot be stored, because it would not be equal after decoding: it holds NaN, a
    lone surrogate or a value of a wrong type."""


class UnknownEvent(Exception):
    """A stored event has a type, version or shape that this code does not know. It is never
    guessed."""


class ConfigurationError(Exception):
    """The service cannot start as it is wired or configured; the message names what is wrong."""
