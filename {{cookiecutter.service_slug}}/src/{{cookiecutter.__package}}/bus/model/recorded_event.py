"""An event as it stands in the log."""

from datetime import datetime

import msgspec

from .context import Context
from .messages import Event


class RecordedEvent(msgspec.Struct, frozen=True, gc=False):
    """An event with its place in the log, and with when and why it was recorded.

    `event_id` is ``stream_id@version``. `causation_id` is the id of the command that recorded it,
    `command` that command's name, `context` the context that the command ran in.
    """

    event: Event
    event_id: str
    stream_id: str
    version: int
    recorded_at: datetime
    causation_id: str
    context: Context
    command: str = ""

    @property
    def correlation_id(self) -> str:
        """Shared by everything that one message from outside set in motion."""
        return self.context.correlation_id
