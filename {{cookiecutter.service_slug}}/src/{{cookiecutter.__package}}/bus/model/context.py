"""The context of a message: who sent it, for whom, and what it belongs to.

The context travels with a command from the entry point on. Each commit and each pending command
stores it, and follow-up commands inherit it. So work that another process finishes a day later
still names its sender. To add a field, change this class and nothing else: the stores keep the
context as one JSON text.
"""

from typing import Self

import msgspec

from .errors import CodecError

MAX_CONTEXT_BYTES = 1024
"""The largest context that is accepted from outside: bytes of its JSON text in UTF-8."""


class Context(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """What a message inherits from the message that led to it.

    `correlation_id` is shared by all commands and events that one message from outside leads to. If
    it is empty, the message bus uses the id of that message. `causation_id` is the id of the event
    that led to the command, None for a message from outside. `actor` is who sent that message,
    `tenant` for whom, `traceparent` the W3C trace that it is part of. `depth` counts the follow-ups
    since that message.
    """

    correlation_id: str = ""
    causation_id: str | None = None
    actor: str = "anonymous"
    tenant: str | None = None
    traceparent: str | None = None
    depth: int = 0

    def caused_by(self, event_id: str) -> "Context":
        """The context of a command that follows from this event."""
        return msgspec.structs.replace(self, causation_id=event_id, depth=self.depth + 1)

    def text(self) -> str:
        """The context as a JSON object, without the fields that have their default."""
        return _encoder.encode(self).decode()

    @classmethod
    def parse(cls, text: str) -> "Context":
        """The inverse of `text`. Fields that this code does not know are ignored."""
        return _decoder.decode(text)

    def checked(self) -> Self:
        """Returns this context. Raises `CodecError` if its text is longer than 1 KiB, or if it
        holds a NUL character or a lone surrogate, which a store cannot keep."""
        try:
            text = _encoder.encode(self)
        except UnicodeEncodeError:
            raise CodecError("the context holds a lone surrogate") from None
        if len(text) > MAX_CONTEXT_BYTES:
            raise CodecError(f"the context has {len(text)} bytes, at most {MAX_CONTEXT_BYTES}")
        if any("\0" in each for each in msgspec.structs.astuple(self) if isinstance(each, str)):
            raise CodecError("the context holds a NUL character")
        return self


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Context)
