"""What can go wrong, by name.

Three families. A `DomainError` is the business saying no: it reaches whoever sent the command.
A `StoreError` is the store saying no, or saying nothing. Everything else is a mistake in the
program: in its wiring (`ConfigurationError`) or in its messages (`CodecError`, `UnknownEvent`).
"""


class DomainError(Exception):
    """A business rule refused a command. The base class of a service's own refusals."""


class AggregateNotFound(DomainError):
    """No event was ever recorded for this aggregate."""

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

    def __init__(self) -> None:
        super().__init__("the idempotency key was used before, for another request")


class InvalidCursor(DomainError):
    """A list was to be continued from a place that no part of it ended at."""


class StoreError(Exception):
    """The store did not take a commit, or could not be read."""


class ConcurrencyError(StoreError):
    """Another command changed a stream after it was read. `streams` are the ids that had moved.

    The message bus runs the command again; whoever sees this error, saw all attempts fail.
    """

    def __init__(self, *streams: str) -> None:
        super().__init__(
            f"changed by another command meanwhile: {', '.join(streams) or 'a stream'}"
        )
        self.streams = streams


class DuplicateCommand(StoreError):
    """The pending command is no longer open, or the idempotency key is used: another run has taken
    effect."""

    def __init__(self, command: str, command_id: str) -> None:
        super().__init__(f"{command} {command_id} has already been handled")
        self.command, self.command_id = command, command_id


class RebuildSuperseded(StoreError):
    """Another rebuild of the read model began, and this one ended without effect."""


class CommitTooLarge(StoreError):
    """A commit exceeds the limit that all stores share. Nothing was written."""


class StoreUnavailable(StoreError):
    """The store did not answer, or not in time. Whether a commit was taken is unknown."""


class CodecError(ValueError):
    """A message would not come back from the store as it was: NaN, a lone surrogate, a wrong type."""


class UnknownEvent(Exception):
    """A stored event has a type, version or shape this code does not know. It is never guessed."""


class ConfigurationError(Exception):
    """The service cannot start as it is wired or configured; the message names what is wrong."""
