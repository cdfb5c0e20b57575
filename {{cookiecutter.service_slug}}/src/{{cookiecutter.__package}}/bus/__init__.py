"""The message bus: commands, events, units of work and event sourcing, in process and durable.

The bus is vendored: it is copied into the service and never edited here. `make update` brings a
newer version. It knows no HTTP, no database and no logging, and imports nothing from its
neighbours. It has three packages:

- `model`: what an owner subclasses, and the interfaces that handlers are given. It imports neither
  of the other two.
- `store`: the ports to the event store, and the values that pass through them.
- `runtime`: the message bus, the unit of work, the projector and the worker. They run the model on
  a store.

Owners import every name from here, whichever package defines it. `__version__` is the version of
the template that this bus came with; the template's `CHANGELOG.md` describes it.
"""

from .model.aggregate import Aggregate, applies
from .model.clock import Clock, SystemClock
from .model.context import Context
from .model.errors import (
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
    RefusalKind,
    StoreError,
    StoreUnavailable,
    UnknownEvent,
)
from .model.follow_up import FollowUp
from .model.handlers import CommandHandler, EventHandler, QueryHandler
from .model.ids import IdSource, RandomIds
from .model.messages import Command, Event, Message, Query
from .model.projection import Projection
from .model.reader import Page, Reader
from .model.recorded_event import RecordedEvent
from .model.unit_of_work import UnitOfWork
from .model.upcasting import Upcaster, Upcasters
from .runtime import operations
from .runtime.dispatch import Dispatch, Retry
from .runtime.envelope import Envelope, Middleware, Next
from .runtime.message_bus import MessageBus, Outcome, Registry
from .runtime.projector import Projector
from .runtime.repository import Repository
from .runtime.snapshots import Snapshots
from .runtime.subscription import Subscriber, Subscription, advance_all, follow
from .runtime.supervisor import SupervisedRequest, Supervisor
from .runtime.wiring import bootstrap, follow_ups_of
from .runtime.worker import Worker
from .store.codec import Codec, Codecs
from .store.commit import Commit, StoredCommit
from .store.event_store import EventStore
from .store.idempotency import Idempotency, IdempotencyRecord
from .store.log import FeedPage, Log, Progress, PushedFeed
from .store.pending import PARTS, PendingCommand, PendingCommands, PendingKey, part_of
from .store.stream import LoadedStream, Position, Snapshot, StreamAppend
from .store.transfer import Stored, Transfer
from .store.views import ViewRow, Views

__version__ = "1.0.0"

__all__ = [
    "PARTS",
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
    "Context",
    "Dispatch",
    "DomainError",
    "DuplicateCommand",
    "Envelope",
    "Event",
    "EventHandler",
    "EventStore",
    "FeedPage",
    "FollowUp",
    "IdSource",
    "Idempotency",
    "IdempotencyKeyReused",
    "IdempotencyRecord",
    "InvalidCursor",
    "LoadedStream",
    "Log",
    "Message",
    "MessageBus",
    "Middleware",
    "Next",
    "Outcome",
    "Page",
    "PendingCommand",
    "PendingCommands",
    "PendingKey",
    "Position",
    "Progress",
    "Projection",
    "Projector",
    "PushedFeed",
    "Query",
    "QueryHandler",
    "RandomIds",
    "Reader",
    "RebuildSuperseded",
    "RecordedEvent",
    "RefusalKind",
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
    "Subscriber",
    "Subscription",
    "SupervisedRequest",
    "Supervisor",
    "SystemClock",
    "Transfer",
    "UnitOfWork",
    "UnknownEvent",
    "Upcaster",
    "Upcasters",
    "ViewRow",
    "Views",
    "Worker",
    "__version__",
    "advance_all",
    "applies",
    "bootstrap",
    "follow",
    "follow_ups_of",
    "operations",
    "part_of",
]
