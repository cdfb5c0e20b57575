"""Idempotency keys: they show that a command from outside was sent before."""

from datetime import datetime

import msgspec

from .stream import Position


class Idempotency(msgspec.Struct, frozen=True, gc=False):
    """The `key` that a caller gave, within a `scope` such as the route and the caller.
    `fingerprint` is a hash of the request: it detects a key that was given to two different
    requests by mistake."""

    scope: str
    key: str
    fingerprint: str


class IdempotencyRecord(msgspec.Struct, frozen=True, gc=False, tag="idempotency"):
    """Records that the command with this key was handled. It is valid until `expires_at`. `after`
    says where the commit is: in each of these streams, directly after the position."""

    idempotency: Idempotency
    command_id: str
    after: tuple[Position, ...]
    expires_at: datetime
