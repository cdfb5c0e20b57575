"""The message bus: commands, events, units of work and event sourcing, in process and durable.

Vendored into the service and never edited here; a newer one comes with the template. It knows no
HTTP, no database and no logging, and imports nothing from its neighbours.

`__version__` is that of the template which it came with: `CHANGELOG.md` there says what is in it.
"""

from .aggregate import Aggregate, applies
from .codec import Codec, Codecs
from .errors import (
    AggregateExists,
    AggregateNotFound,
    CodecError,
    CommitTooLarge,
    ConcurrencyError,
    ConfigurationError,
    DomainError,
    DuplicateCommand,
    IdempotencyKeyReused,
    InvalidCursor,
    RebuildSuperseded,
    StoreError,
    StoreUnavailable,
    UnknownEvent,
)
from .handlers import CommandHandler, EventHandler, QueryHandler
from .message_bus import Dispatch, MessageBus, Middleware, Next, Outcome, Registry, Retry
from .messages import Clock, Command, Event, IdSource, Message, Query, RandomIds, SystemClock
from .pending import Worker
from .projection import Projection, Projector
from .reader import Page, Reader
from .repository import Repository
from .snapshots import Snapshots
from .store import (
    Commit,
    EventStore,
    FeedPage,
    Idempotency,
    IdempotencyRecord,
    LoadedStream,
    PendingCommand,
    PendingKey,
    Position,
    RecordedEvent,
    Snapshot,
    Stored,
    StoredCommit,
    StreamAppend,
)
from .subscription import Subscription
from .unit_of_work import Envelope, UnitOfWork
from .upcasting import Upcaster, Upcasters
from .views import ViewRow, Views
from .wiring import bootstrap

__version__ = "1.0.0"

__all__ = [
    "Aggregate",
    "AggregateExists",
    "AggregateNotFound",
    "Clock",
    "Codec",
    "CodecError",
    "Codecs",
    "Command",
    "CommandHandler",
    "Commit",
    "CommitTooLarge",
    "ConcurrencyError",
    "ConfigurationError",
    "Dispatch",
    "DomainError",
    "DuplicateCommand",
    "Envelope",
    "Event",
    "EventHandler",
    "EventStore",
    "FeedPage",
    "IdSource",
    "Idempotency",
    "IdempotencyKeyReused",
    "IdempotencyRecord",
    "InvalidCursor",
    "LoadedStream",
    "Message",
    "MessageBus",
    "Middleware",
    "Next",
    "Outcome",
    "Page",
    "PendingCommand",
    "PendingKey",
    "Position",
    "Projection",
    "Projector",
    "Query",
    "QueryHandler",
    "RandomIds",
    "Reader",
    "RebuildSuperseded",
    "RecordedEvent",
    "Registry",
    "Repository",
    "Retry",
    "Snapshot",
    "Snapshots",
    "StoreError",
    "StoreUnavailable",
    "Stored",
    "StoredCommit",
    "StreamAppend",
    "Subscription",
    "SystemClock",
    "UnitOfWork",
    "UnknownEvent",
    "Upcaster",
    "Upcasters",
    "ViewRow",
    "Views",
    "Worker",
    "__version__",
    "applies",
    "bootstrap",
]
