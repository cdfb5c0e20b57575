"""Follow-ups: attempts to run them inline, and what becomes of those that fail."""

import time
from collections import deque
from collections.abc import Callable

import msgspec

from ..model.clock import Clock
from ..model.errors import (
    CodecError,
    CommitTooLarge,
    DomainError,
    DuplicateCommand,
    StoreError,
)
from ..model.messages import Command
from ..store.codec import Codecs
from ..store.event_store import EventStore
from ..store.pending import PendingCommand, PendingKey
from . import supervisor
from .dispatch import Dispatch
from .envelope import Envelope, Next
from .unit_of_work import Committed

Queued = tuple[Committed, PendingCommand, Command]
"""A follow-up that is to run inline, and the commit that it was written with."""


Parked = Callable[[str, PendingCommand, StoreError | None], None]
"""A callback that is told of each dead letter: the name of the command, and its row, whose `error`
is the reason. If a `StoreError` is given, the store failed when the command was to be parked, and
it is not known whether it was. The callback must not raise."""


class FollowUps:
    """Runs the follow-ups of a commit. `run` handles a command: it is the bus, with its middleware.
    `on_parked` is told of each dead letter."""

    def __init__(
        self,
        run: Next,
        *,
        store: EventStore,
        codecs: Codecs,
        clock: Clock,
        on_parked: Parked | None,
    ) -> None:
        self._run, self._store, self._codecs, self._clock = run, store, codecs, clock
        self._on_parked = on_parked

    def run_inline(self, committed: Committed, dispatch: Dispatch) -> None:
        """Run follow-ups first in, first out, those that are out of order after all others. If one
        fails, or if an earlier one of its stream is still open, the in-order rest of that stream is
        left to the worker. This keeps the order within a stream. One that might take beyond its
        claim, or beyond the time for all of them, is left as well."""
        if not committed.follow_ups:
            return
        in_order: deque[Queued] = deque()
        out_of_order: deque[Queued] = deque()
        _enqueue(committed, in_order, out_of_order)
        deadline = time.monotonic() + dispatch.seconds
        left_to_worker: set[str] = set()
        for _ in range(dispatch.steps):
            queue = in_order or out_of_order
            if not queue or supervisor.is_given_up():
                return
            cause, pending, command = queue.popleft()
            stream_id = pending.key.stream_id
            if queue is in_order:
                if stream_id in cause.contended and self._earlier_is_open(pending.key):
                    left_to_worker.add(stream_id)
                if stream_id in left_to_worker:
                    continue
            limit = dispatch.limit_of(type(command))
            if (
                time.monotonic() + limit.total_seconds() > deadline
                or self._clock.now() + limit > pending.due_at
            ):
                done, goes_on = None, False
            else:
                done, goes_on = self.attempt(pending, command, dispatch)
            if queue is in_order and not goes_on:
                left_to_worker.add(stream_id)
            if done:
                _enqueue(done, in_order, out_of_order)

    def attempt(
        self, pending: PendingCommand, command: Command, dispatch: Dispatch
    ) -> tuple[Committed | None, bool]:
        """Make one attempt. Returns what was committed, if anything, and whether the later commands
        of the stream may run. An error is not raised: the middleware has seen it, and the pending
        command stays in the store or is parked."""
        envelope = Envelope(command, pending.command_id, pending.context, pending.key)
        limit = dispatch.limit_of(type(command)).total_seconds()
        try:
            with supervisor.Attempt(command, pending, limit):
                return self._run(envelope), True
        except DuplicateCommand:
            return None, True
        except Exception as error:
            is_over = _is_final(error) or pending.attempts >= dispatch.attempts
            return None, is_over and self._try_to_park(pending, error)

    def park(self, pending: PendingCommand, reason: str) -> bool:
        """Make the command a dead letter. False if another run changed it first. Raises
        `StoreUnavailable`."""
        storable = reason[:500].replace("\0", "").encode("utf-8", "replace").decode()
        now = self._clock.now()
        dead = msgspec.structs.replace(pending, parked_at=now, error=storable)
        try:
            parked = self._store.park(pending, now, storable)
        except StoreError as error:
            self.tell_of(dead, error)
            raise
        if parked:
            self.tell_of(dead)
        return parked

    def tell_of(self, dead: PendingCommand, error: StoreError | None = None) -> None:
        """Tell `on_parked` of a dead letter."""
        if self._on_parked:
            command = self._codecs.commands.listed(dead.payload)[0]
            name = command.message_name if isinstance(command, Command) else command.name
            self._on_parked(name, dead, error)

    def _try_to_park(self, pending: PendingCommand, error: Exception) -> bool:
        try:
            self.park(pending, f"{type(error).__name__}: {error}")
        except StoreError:  # it stays open, and the next attempt parks it
            return False
        return True

    def _earlier_is_open(self, key: PendingKey) -> bool:
        try:
            return self._store.is_held_back(key)
        except StoreError:
            return True


def _is_final(error: Exception) -> bool:
    """Whether another attempt would end the same way."""
    if isinstance(error, DomainError):
        return error.kind != "limited"
    return isinstance(error, CommitTooLarge | CodecError)


def _enqueue(committed: Committed, in_order: deque[Queued], out_of_order: deque[Queued]) -> None:
    for pending, command in committed.follow_ups:
        queue = in_order if pending.in_order else out_of_order
        queue.append((committed, pending, command))
