"""The message bus: command, decide, commit, next command.

A bus keeps no state between calls, so any number of threads may share one. The handler of each
message type is looked up in dictionaries that are made at start.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from hashlib import sha256
from inspect import signature
from typing import Any, TypeVar

import msgspec

from ..model.clock import Clock
from ..model.context import Context
from ..model.errors import (
    ConcurrencyError,
    ConfigurationError,
    DomainError,
    DuplicateCommand,
    IdempotencyKeyReused,
)
from ..model.handlers import CommandHandler, EventHandler, QueryHandler
from ..model.ids import IdSource
from ..model.messages import Command, Event, Message, Query
from ..model.projection import Projection
from ..model.recorded_event import RecordedEvent
from ..store.codec import Codecs
from ..store.commit import StoredCommit
from ..store.event_store import EventStore
from ..store.idempotency import Idempotency, IdempotencyRecord
from ..store.pending import PendingCommand
from .dispatch import Dispatch, Retry
from .envelope import Envelope, Middleware, Next
from .follow_ups import FollowUps, Parked
from .pending_maker import RunsInline
from .projector import Projector
from .reader import StoreReader
from .repository import Repository
from .snapshots import Snapshots
from .subscription import Subscriber, Subscription
from .supervisor import Supervisor, finish_earlier
from .unit_of_work import Committed, Decide, StoreUnitOfWork

R = TypeVar("R")

Wake = Callable[[Collection[str]], None]
"""A callback that is given the ids of streams with a command that a worker may run at once."""


class Outcome(msgspec.Struct, frozen=True, gc=False):
    """The result of a command: the events that it recorded, without those of its follow-ups.

    `replayed` is true if the command was handled before under the same idempotency key. Then the
    events are those of that first time.
    """

    events: tuple[RecordedEvent, ...]
    replayed: bool = False


class Registry(msgspec.Struct, frozen=True):
    """The wiring, as checked at start: which handler runs which message."""

    commands: Mapping[type[Message], CommandHandler[Any]]
    events: Mapping[type[Event], tuple[EventHandler[Any], ...]]
    queries: Mapping[type[Message], QueryHandler[Any]]
    projections: Mapping[type[Projection[Any]], Projection[Any]]


class MessageBus:
    """Handles commands and answers queries. `bootstrap` makes it."""

    def __init__(
        self,
        *,
        registry: Registry,
        store: EventStore,
        codecs: Codecs,
        snapshots: Snapshots,
        clock: Clock,
        ids: IdSource,
        middleware: Iterable[Middleware] = (),
        subscribers: Iterable[Callable[["MessageBus"], Subscriber]] = (),
        dispatch: Dispatch | None = None,
        retry: Retry | None = None,
        on_parked: Parked | None = None,
        supervisor: Supervisor | None = None,
    ) -> None:
        self.registry, self.store, self.clock = registry, store, clock
        self.dispatch, self.retry = dispatch or Dispatch(), retry or Retry()
        self.codecs, self._ids = codecs, ids
        self._repository = Repository(store, codecs, snapshots)
        self._decisions = {
            event: tuple(map(_decision, handlers)) for event, handlers in registry.events.items()
        }
        self._by_projection = {
            kind: Projector(projection, store, codecs)
            for kind, projection in registry.projections.items()
        }
        self.projectors = {each.name: each for each in self._by_projection.values()}
        self.subscriptions = {
            name: Subscription(store, projector, projector.unseen)
            for name, projector in self.projectors.items()
        }
        self._run: Next = self._run_command
        self._answer: Next = self._run_query
        for layer in reversed(list(middleware)):
            self._run, self._answer = _wrap(layer, self._run), _wrap(layer, self._answer)
        self._follow_ups = FollowUps(
            self._run,
            store=store,
            codecs=codecs,
            clock=clock,
            on_parked=on_parked,
        )
        self.supervisor = supervisor or Supervisor()
        self._call = supervisor.call if supervisor else _call
        self._finish_earlier = finish_earlier if supervisor else _nothing
        self._runs_inline: RunsInline = supervisor.admits_inline if supervisor else _always
        self._wakes: tuple[Wake, ...] = ()
        for make in subscribers:
            self._subscribe(make(self))

    @contextmanager
    def waking(self, wake: Wake) -> Iterator[None]:
        """Meanwhile, each commit of this bus that leaves follow-ups to workers calls `wake`."""
        self._wakes = (*self._wakes, wake)
        try:
            yield
        finally:
            self._wakes = tuple([each for each in self._wakes if each != wake])

    def _subscribe(self, subscriber: Subscriber) -> None:
        if subscriber.name in self.subscriptions:
            raise ConfigurationError(f"two subscribers are named {subscriber.name!r}")
        self.subscriptions[subscriber.name] = Subscription(self.store, subscriber)

    def handle(
        self,
        command: Command,
        *,
        idempotency: Idempotency | None = None,
        context: Context | None = None,
        correlation_id: str | None = None,
    ) -> Outcome:
        """Run a command from outside, and then, once each, the commands that follow from it. If it
        is sent again with the same `idempotency`, it has no second effect and returns the first
        outcome.

        `context` says who sends it; the commands that follow inherit it. `correlation_id` is the
        short form of a context that holds nothing else.

        Returns after the command itself has committed and its follow-ups have had their attempts
        inline (see `Dispatch`). The follow-ups do not change the outcome, whether they succeed or
        fail. Raises the command's own `DomainError`, `ConcurrencyError` if every attempt met a
        conflict, `CommitTooLarge`, `CodecError`, `StoreUnavailable`, and whatever its handler
        raises. Then nothing was committed; only after `StoreUnavailable` it is unknown. Raises
        `IdempotencyKeyReused` if the key was used with another fingerprint.
        """
        if idempotency:
            return self._handle_once(command, idempotency, context, correlation_id)
        command_id = self._ids.new_id()
        own = context is None and correlation_id is None
        given = Context(command_id) if own else _context(command_id, context, correlation_id)
        return self._handle(Envelope(command, command_id, given))

    def _handle(self, envelope: Envelope) -> Outcome:
        self._finish_earlier()
        committed: Committed = self._run(envelope)
        if committed.follow_ups:
            self._call(lambda: self._follow_ups.run_inline(committed, self.dispatch))
        return Outcome(committed.events)

    def _handle_once(
        self,
        command: Command,
        idempotency: Idempotency,
        context: Context | None,
        correlation_id: str | None,
    ) -> Outcome:
        """Derives the command id from the key, so that outside systems see the same id when the
        command is sent again."""
        earlier = self._earlier_outcome(idempotency)
        if earlier:
            return earlier
        command_id = sha256(msgspec.json.encode(idempotency.identity())).hexdigest()[:32]
        envelope = Envelope(
            command,
            command_id,
            _context(command_id, context, correlation_id),
            idempotency=idempotency,
        )
        try:
            return self._handle(envelope)
        except (DuplicateCommand, DomainError):
            # The same request may have been sent twice at the same time, and the other was faster.
            earlier = self._earlier_outcome(idempotency)
            if earlier:
                return earlier
            raise

    def _earlier_outcome(self, idempotency: Idempotency) -> Outcome | None:
        """The outcome of the command that was sent under this key before; None if none was."""
        record = self.store.handled(idempotency.scope, idempotency.key, self.clock.now())
        if record is None:
            return None
        if record.idempotency != idempotency.identity():
            raise IdempotencyKeyReused
        return Outcome(self._events_of(record), replayed=True)

    def _events_of(self, record: IdempotencyRecord) -> tuple[RecordedEvent, ...]:
        return tuple(
            recorded
            for after in record.after
            for commit in self.store.commits(after.stream_id, after.version + 1, after.version + 1)
            for recorded in self.codecs.recorded(commit)
        )

    def ask(
        self,
        query: Query[R],
        *,
        context: Context | None = None,
        correlation_id: str | None = None,
    ) -> R:
        """Answer a query. `context` says who asks. Raises what its handler raises."""
        self._finish_earlier()
        query_id = self._ids.new_id()
        if context is None and correlation_id is None:
            given = Context(query_id)
        else:
            given = _context(query_id, context, correlation_id)
        answer: R = self._answer(Envelope(query, query_id, given))
        return answer

    def project(self, commits: Sequence[StoredCommit]) -> None:
        """Apply commits that the store has pushed to all read models. The checkpoints do not move:
        only the subscriptions move them."""
        for projector in self.projectors.values():
            projector.receive(commits)

    def run_pending(self, pending: PendingCommand) -> bool:
        """Run one pending command, whose attempt has been counted, and then the commands that
        follow.

        Returns whether the later commands of its stream may run. They may if the command took
        effect, by this run or another, or if it was parked: because another attempt cannot succeed,
        or because this was its last attempt. Raises `UnknownEvent` for a command that this code
        does not know.
        """
        (command,) = self.codecs.commands.decode(pending.payload)
        committed, goes_on = self._follow_ups.attempt(pending, command, self.dispatch)
        if committed:
            self._follow_ups.run_inline(committed, self.dispatch)
        return goes_on

    def park(self, pending: PendingCommand, reason: str) -> bool:
        """Make the command a dead letter. False if another run changed it first. Raises
        `StoreUnavailable`."""
        return self._follow_ups.park(pending, reason)

    def _run_command(self, envelope: Envelope) -> Committed:
        handler = self.registry.commands.get(type(envelope.message))
        if handler is None:
            raise ConfigurationError(f"no handler for {type(envelope.message).__name__}")
        for attempt in range(1, self.retry.attempts):
            try:
                return self._attempt(handler, envelope)
            except ConcurrencyError:
                self.retry.pause(attempt)
        return self._attempt(handler, envelope)

    def _attempt(self, handler: CommandHandler[Any], envelope: Envelope) -> Committed:
        uow = StoreUnitOfWork(self._repository, envelope, self.clock)
        try:
            handler.handle(envelope.message, uow)
            committed = uow.commit(
                self._decisions,
                self._ids,
                self.dispatch,
                resends=self.retry.resends,
                runs_inline=self._runs_inline,
            )
        except (Exception, KeyboardInterrupt):
            raise
        except BaseException as error:
            raise _as_failure(error) from error
        for dead in committed.parked:
            self._follow_ups.tell_of(dead)
        if committed.for_workers:
            for wake in self._wakes:
                wake(committed.for_workers)
        return committed

    def _run_query(self, envelope: Envelope) -> Any:
        query = envelope.message
        handler = self.registry.queries.get(type(query))
        if handler is None:
            raise ConfigurationError(f"no handler for {type(query).__name__}")
        reader = StoreReader(self._repository, self._by_projection, envelope.context)
        try:
            return handler.handle(query, reader)
        except (Exception, KeyboardInterrupt):
            raise
        except BaseException as error:
            raise _as_failure(error) from error


def _call(job: Callable[[], None]) -> None:
    job()


def _nothing() -> None:
    pass


def _always(_command: type[Command]) -> bool:
    return True


def _as_failure(error: BaseException) -> RuntimeError:
    """What a handler raises that is no `Exception`, as one: `SystemExit` of a library, for example.
    It would pass everything that handles errors, and end its thread unseen. `KeyboardInterrupt`
    alone comes from the user."""
    return RuntimeError(f"a handler raised {error!r}")


def _wrap(layer: Middleware, inner: Next) -> Next:
    return lambda envelope: layer(envelope, inner)


def _decision(handler: EventHandler[Any]) -> Decide:
    """The handler's `handle`, as a function of the recorded event."""
    handle: Any = handler.handle
    parameters = signature(handle).parameters.values()
    if len([each for each in parameters if each.default is each.empty]) > 1:
        return lambda recorded: handle(recorded.event, recorded)
    return lambda recorded: handle(recorded.event)


def _context(message_id: str, given: Context | None, correlation_id: str | None) -> Context:
    """The given context, checked. Without a correlation id, it gets the message's own id."""
    if given is not None and correlation_id is not None:
        raise TypeError("give either a context or a correlation_id")
    given = given or Context(correlation_id or "")
    checked = given.checked()
    if checked.correlation_id:
        return checked
    return msgspec.structs.replace(checked, correlation_id=message_id)
