"""Idempotency keys: what makes a command from outside the same as one that was sent before."""

from datetime import datetime

import msgspec

from .stream import Position


class Idempotency(msgspec.Struct, frozen=True, gc=False):
    """The `key` that a caller gave, within a `scope` such as the route and the caller. `fingerprint`
    tells apart two requests that were given one key by mistake."""

    scope: str
    key: str
    fingerprint: str


class IdempotencyRecord(msgspec.Struct, frozen=True, gc=False, tag="idempotency"):
    """The record that the command of this key was handled; it lasts until `expires_at`. `after` says
    where its commit is: in each of these streams, right after the position."""

    idempotency: Idempotency
    command_id: str
    after: tuple[Position, ...]
    expires_at: datetime
