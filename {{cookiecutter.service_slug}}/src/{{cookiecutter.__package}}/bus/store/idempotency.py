"""Idempotency keys: they show that a command from outside was sent before."""

from datetime import datetime, timedelta

import msgspec

from .stream import Position


class Idempotency(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """The `key` that a caller gave, within a `scope` such as the route and the caller.
    `fingerprint` is a hash of the request: it detects a key that was given to two different
    requests by mistake.

    `kept` is how long the key is remembered: at least as long as the caller may send the request
    again. It is no part of the identity, so changing it later refuses no request.
    """

    scope: str
    key: str
    fingerprint: str
    kept: timedelta = timedelta(days=7)

    def identity(self) -> "Idempotency":
        """The key as it is stored and compared: without `kept`."""
        return Idempotency(self.scope, self.key, self.fingerprint)


class IdempotencyRecord(msgspec.Struct, frozen=True, gc=False, tag="idempotency"):
    """Records that the command with this key was handled. It is valid until `expires_at`. `after`
    says where the commit is: in each of these streams, directly after the position."""

    idempotency: Idempotency
    command_id: str
    after: tuple[Position, ...]
    expires_at: datetime
