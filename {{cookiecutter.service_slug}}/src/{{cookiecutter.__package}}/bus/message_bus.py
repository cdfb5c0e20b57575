"""The cycle: command, decide, commit, next command.

A bus holds no state of a call, so any number of threads may share one. What it runs is settled at
start and never looked up again: dictionaries from message types to handlers.
"""

import random
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from hashlib import sha256
from typing import Any, TypeVar

import msgspec

from .codec import Codecs
from .errors import (
    CodecError,
    CommitTooLarge,
    ConcurrencyError,
    ConfigurationError,
    DomainError,
    DuplicateCommand,
    IdempotencyKeyReused,
    StoreError,
    UnknownEvent,
)
from .handlers import CommandHandler, EventHandler, QueryHandler
from .messages import Clock, Command, IdSource, Message, Query
from .projection import Projection, Projector
from .reader import Reader
from .repository import Repository
from .snapshots import Snapshots
from .store import (
    EventStore,
    Idempotency,
    IdempotencyRecord,
    PendingCommand,
    PendingKey,
    RecordedEvent,
)
from .unit_of_work import Committed, Envelope, UnitOfWork

R = TypeVar("R")

Next = Callable[[Envelope], Any]
Middleware = Callable[[Envelope, Next], Any]
"""Wraps the handling of every command, follow-up and query: it calls `next(envelope)` and returns
what that returns. An error of a follow-up is seen here and nowhere else."""


class Retry(msgspec.Struct, frozen=True, kw_only=True):
    """How a command goes on after a conflict: at most `attempts` runs, with full jitter between
    them, below `base` seconds doubled each time up to `cap` ("Exponential Backoff and Jitter", AWS
    Architecture Blog, 2015). A store that did not answer is sent the identical commit `resends`
    times more."""

    attempts: int = 12
    base: float = 0.004
    cap: float = 0.5
    resends: int = 2

    def pause(self, attempt: int) -> None:
        time.sleep(random.uniform(0, min(self.cap, self.base * 2**attempt)))  # noqa: S311 - no secret


class Dispatch(msgspec.Struct, frozen=True, kw_only=True):
    """How follow-ups run.

    `inline`, before `handle` returns: one attempt each, within so many `steps` and `seconds`. What is
    left, and what failed, a worker takes up after `grace`, and again after twice as long each time,
    up to `longest_wait`; after so many `attempts` in all, it is parked. Not `inline`, workers run
    them all, as soon as they see them.
    """

    inline: bool = True
    steps: int = 100
    seconds: float = 10.0
    grace: timedelta = timedelta(seconds=5)
    longest_wait: timedelta = timedelta(minutes=5)
    attempts: int = 10

    def wait_after(self, attempts: int) -> timedelta:
        """How long after this many attempts the next may begin: with jitter, at least the half."""
        doubled: int = 2 ** min(attempts - 1, 30)
        wait = min(self.grace * doubled, self.longest_wait)
        jitter: float = random.uniform(0.5, 1)  # noqa: S311 - no secret
        return wait * jitter


class Outcome(msgspec.Struct, frozen=True, gc=False):
    """What became of a command: the events that it recorded, not those of its follow-ups.

    `replayed` says that it had been handled before, and this is the answer of then.
    """

    events: tuple[RecordedEvent, ...]
    replayed: bool = False


class Registry(msgspec.Struct, frozen=True):
    """The wiring, as it was checked at start: which handler runs what."""

    commands: Mapping[type[Message], CommandHandler[Any]]
    events: Mapping[type[Message], tuple[EventHandler[Any], ...]]
    queries: Mapping[type[Message], QueryHandler[Any]]
    projections: Mapping[type[Projection[Any]], Projection[Any]]


class MessageBus:
    """Where every message goes. Made by `bootstrap`."""

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
        dispatch: Dispatch | None = None,
        retry: Retry | None = None,
    ) -> None:
        self.registry, self.store, self.clock = registry, store, clock
        self.dispatch, self.retry = dispatch or Dispatch(), retry or Retry()
        self.codecs, self._ids = codecs, ids
        self._repository = Repository(store, codecs, snapshots)
        projectors = {
            kind: Projector(projection, store, codecs)
            for kind, projection in registry.projections.items()
        }
        self.projectors = {each.projection.name: each for each in projectors.values()}
        self._reader = Reader(self._repository, projectors)
        self._run: Next = self._run_command
        self._answer: Next = self._run_query
        for layer in reversed(list(middleware)):
            self._run, self._answer = _wrap(layer, self._run), _wrap(layer, self._answer)

    def handle(
        self,
        command: Command,
        *,
        idempotency: Idempotency | None = None,
        correlation_id: str | None = None,
    ) -> Outcome:
        """Run a command from outside, and then, once each, the commands that follow from it. Sent
        again with the same `idempotency`, it has no second effect: the outcome is that of then.

        Returns as soon as the command itself has committed and its follow-ups had their turn; what
        becomes of those does not change the outcome. Raises the command's own `DomainError`,
        `ConcurrencyError` when every attempt met a conflict, `CommitTooLarge`, `CodecError`,
        `StoreUnavailable`, and whatever its handler raises; then nothing was committed (after
        `StoreUnavailable`: perhaps). Raises `IdempotencyKeyReused` for another fingerprint.
        """
        if idempotency:
            return self._handle_once(command, idempotency, correlation_id)
        command_id = self._ids.new_id()
        return self._handle(Envelope(command, command_id, correlation_id or command_id))

    def _handle(self, envelope: Envelope) -> Outcome:
        committed: Committed = self._run(envelope)
        self._follow(committed)
        return Outcome(committed.events)

    def _handle_once(
        self, command: Command, idempotency: Idempotency, correlation_id: str | None
    ) -> Outcome:
        """The command's id is made of the key: what it does outside is known as the same, too."""
        answered = self._answered(idempotency)
        if answered:
            return answered
        command_id = sha256(msgspec.json.encode(idempotency)).hexdigest()[:32]
        envelope = Envelope(
            command, command_id, correlation_id or command_id, idempotency=idempotency
        )
        try:
            return self._handle(envelope)
        except (DuplicateCommand, DomainError):
            answered = self._answered(idempotency)  # by the same request, sent at the same time
            if answered:
                return answered
            raise

    def _answered(self, idempotency: Idempotency) -> Outcome | None:
        """The outcome of the command that was sent under this key before, if one was."""
        record = self.store.handled(idempotency.scope, idempotency.key, self.clock.now())
        if record is None:
            return None
        if record.idempotency != idempotency:
            raise IdempotencyKeyReused
        return Outcome(self._events_of(record), replayed=True)

    def _events_of(self, record: IdempotencyRecord) -> tuple[RecordedEvent, ...]:
        return tuple(
            commit.recorded(event, offset)
            for after in record.after
            for commit in self.store.commits(after.stream_id, after.version + 1, after.version + 1)
            for offset, event in enumerate(
                self.codecs.of_stream(commit.stream_id).decode(commit.events)
            )
        )

    def ask(self, query: Query[R], *, correlation_id: str | None = None) -> R:
        """Answer a query. Raises what its handler raises."""
        query_id = self._ids.new_id()
        answer: R = self._answer(Envelope(query, query_id, correlation_id or query_id))
        return answer

    def run_pending(self, pending: PendingCommand) -> bool:
        """Run one pending command, whose attempt has been counted, and then what follows from it.

        Returns whether its stream may go on: it had its effect, by this run or another's, or it is
        parked, because it never will have one or because this was its last attempt.
        """
        try:
            (command,) = self.codecs.commands.decode(pending.payload)
        except UnknownEvent as error:
            return self._parked(pending, error)
        committed, goes_on = self._try(pending, command)
        if committed:
            self._follow(committed)
        return goes_on

    def park(self, pending: PendingCommand, reason: str) -> bool:
        """Make it a dead letter; unless another run was faster. Raises `StoreUnavailable`."""
        storable = reason[:500].replace("\0", "").encode("utf-8", "replace").decode()
        return self.store.park(pending, self.clock.now(), storable)

    def _follow(self, committed: Committed) -> None:
        """Run follow-ups first in, first out. A stream in which one failed, or in which an earlier
        one is still open, is left to the worker: the order within a stream holds."""
        if not committed.follow_ups or not self.dispatch.inline:
            return
        queue = deque((committed, *follow_up) for follow_up in committed.follow_ups)
        deadline = time.monotonic() + self.dispatch.seconds
        left_to_worker: set[str] = set()
        for _ in range(self.dispatch.steps):
            if not queue or time.monotonic() > deadline:
                return
            cause, pending, command = queue.popleft()
            stream_id = pending.key.stream_id
            if stream_id in left_to_worker:
                continue
            if stream_id in cause.contended and self._earlier_is_open(pending.key):
                left_to_worker.add(stream_id)
                continue
            done, goes_on = self._try(pending, command)
            if not goes_on:
                left_to_worker.add(stream_id)
            if done:
                queue.extend((done, *follow_up) for follow_up in done.follow_ups)

    def _try(self, pending: PendingCommand, command: Command) -> tuple[Committed | None, bool]:
        """One attempt: what was committed, if anything, and whether its stream may go on. The
        middleware has seen what went wrong; the pending command stays in the store, or is parked."""
        try:
            return self._run(self._envelope(pending, command)), True
        except DuplicateCommand:
            return None, True
        except (DomainError, CommitTooLarge, CodecError) as error:  # another attempt would not help
            return None, self._parked(pending, error)
        except Exception as error:
            last = pending.attempts >= self.dispatch.attempts
            return None, last and self._parked(pending, error)

    def _parked(self, pending: PendingCommand, error: Exception) -> bool:
        try:
            self.park(pending, f"{type(error).__name__}: {error}")
        except StoreError:  # it stays open, and the next attempt parks it
            return False
        return True

    def _earlier_is_open(self, key: PendingKey) -> bool:
        try:
            earlier = self.store.pending(key.stream_id)
        except StoreError:
            return True
        return any(pending.key < key and pending.in_order for pending in earlier)

    def _envelope(self, pending: PendingCommand, command: Command) -> Envelope:
        return Envelope(
            command, pending.command_id, pending.correlation_id, pending.causation_id, pending.key
        )

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
        uow = UnitOfWork(self._repository, envelope, self.clock.now())
        handler.handle(envelope.message, uow)
        recorded = uow.recorded()
        decided = [
            (event, command)
            for event in recorded
            for event_handler in self.registry.events.get(type(event.event), ())
            for command in event_handler.handle(event.event)
        ]
        inline = self.dispatch.inline
        return uow.commit(
            recorded,
            decided,
            self._ids,
            attempts=1 if inline else 0,
            due_in=self.dispatch.grace if inline else timedelta(0),
            resends=self.retry.resends,
        )

    def _run_query(self, envelope: Envelope) -> Any:
        handler = self.registry.queries.get(type(envelope.message))
        if handler is None:
            raise ConfigurationError(f"no handler for {type(envelope.message).__name__}")
        return handler.handle(envelope.message, self._reader)


def _wrap(layer: Middleware, inner: Next) -> Next:
    return lambda envelope: layer(envelope, inner)
