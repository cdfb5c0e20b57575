"""The envelope: a message on its way through the bus, and the middleware that it passes through."""

from collections.abc import Callable
from typing import Any

import msgspec

from ..model.context import Context
from ..model.messages import Message
from ..store.idempotency import Idempotency
from ..store.pending import PendingKey


class Envelope(msgspec.Struct, frozen=True, gc=False):
    """A message with its id and its context.

    `consumes` is the key of its pending command, if it is a follow-up. `idempotency` is the key
    under which it was sent, if there is one.
    """

    message: Message
    message_id: str
    context: Context
    consumes: PendingKey | None = None
    idempotency: Idempotency | None = None


Next = Callable[[Envelope], Any]
Middleware = Callable[[Envelope, Next], Any]
"""Wraps the handling of every command, follow-up and query: it calls `next(envelope)` and returns
the result. Only middleware sees the error of a follow-up."""
