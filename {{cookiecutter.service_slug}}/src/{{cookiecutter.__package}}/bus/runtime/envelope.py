"""The envelope: a message on its way through the bus, and the middleware that it passes."""

from collections.abc import Callable
from typing import Any

import msgspec

from ..model.context import Context
from ..model.messages import Message
from ..store.idempotency import Idempotency
from ..store.pending import PendingKey


class Envelope(msgspec.Struct, frozen=True, gc=False):
    """A message with its id and its context.

    `consumes` names the pending command that it is, if it is one; `idempotency`, the key under which
    it was sent.
    """

    message: Message
    message_id: str
    context: Context
    consumes: PendingKey | None = None
    idempotency: Idempotency | None = None


Next = Callable[[Envelope], Any]
Middleware = Callable[[Envelope, Next], Any]
"""Wraps the handling of every command, follow-up and query: it calls `next(envelope)` and returns
what that returns. An error of a follow-up is seen here and nowhere else."""
