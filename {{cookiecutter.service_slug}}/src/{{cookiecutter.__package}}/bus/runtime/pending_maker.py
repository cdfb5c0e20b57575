"""Makes the pending commands of one commit: those that were decided, and those for later."""

from collections.abc import Callable
from datetime import datetime

import msgspec

from ..model.errors import CodecError, ConfigurationError
from ..model.follow_up import AT_ONCE, FollowUp
from ..model.handlers import Follows
from ..model.ids import IdSource
from ..model.messages import Command
from ..model.recorded_event import RecordedEvent
from ..store.pending import PendingCommand, PendingKey
from .dispatch import Dispatch
from .envelope import Envelope
from .loops import loop
from .repository import Repository

RunsInline = Callable[[type[Command]], bool]


class PendingMaker:
    """Makes pending commands. `envelope` is the message that they follow from, handled at `now`.
    `runs_inline` says whether a command of a type may run inline.

    `rows` are all that it has made. `at_once` are those that are to run inline, each with its
    command. `for_workers` are the streams with one that a worker may run at once. `parked` are
    those that are dead letters from the start, to end a loop.
    """

    def __init__(
        self,
        repository: Repository,
        envelope: Envelope,
        now: datetime,
        ids: IdSource,
        dispatch: Dispatch,
        *,
        runs_inline: RunsInline,
    ) -> None:
        self._log, self._codec = repository.store, repository.codecs.commands
        self._envelope, self._now, self._ids, self._dispatch = envelope, now, ids, dispatch
        self._runs_inline = runs_inline
        self.for_workers: set[str] = set()
        self.rows: list[PendingCommand] = []
        self.at_once: list[tuple[PendingCommand, Command]] = []
        self.parked: list[PendingCommand] = []

    def follow(
        self,
        decided: list[tuple[RecordedEvent, Follows]],
        first: Callable[[str], int],
        claimed_at: datetime,
    ) -> None:
        """Make those of the commands that follow from events. Those to run inline have an attempt
        counted, and are claimed from `claimed_at` on; the others are due at once. `first` gives the
        version of the first event of this commit in a stream. Raises `ConfigurationError` for a
        command that has no handler."""
        context, dispatch = self._envelope.context, self._dispatch
        is_braked = dispatch.brakes(context.depth + 1)
        held_back: set[str] = set()
        for ordinal, (cause, follows) in enumerate(decided):
            key = PendingKey(cause.stream_id, first(cause.stream_id), ordinal)
            if isinstance(follows, FollowUp):
                command, in_order, delay = follows.command, follows.in_order, follows.delay
            else:
                command, in_order, delay = follows, True, AT_ONCE
            if delay:
                self.later(key, command, cause.event_id, self._now + delay)
                continue
            payload, kind = self._encoded(command), type(command)
            is_inline = (
                dispatch.fits_inline(kind)
                and not (in_order and cause.stream_id in held_back)
                and self._runs_inline(kind)
            )
            row = PendingCommand(
                key,
                self._ids.new_id(),
                payload,
                context.caused_by(cause.event_id),
                1 if is_inline else 0,
                claimed_at + dispatch.limit_of(kind) + dispatch.grace if is_inline else self._now,
                in_order,
            )
            if is_braked:
                row = self._parked(row, command)
                self.parked.append(row)
            elif is_inline:
                self.at_once.append((row, command))
            else:
                self.for_workers.add(key.stream_id)
                if in_order:
                    held_back.add(key.stream_id)
            self.rows.append(row)

    def later(self, key: PendingKey, command: Command, cause: str, due_at: datetime) -> None:
        """Make that of a command that is due later. It is out of order, and begins a new chain of
        follow-ups, with depth 0. `cause` is the id of the event or command behind it. Raises
        `ConfigurationError` for a command that has no handler."""
        context = msgspec.structs.replace(self._envelope.context, causation_id=cause, depth=0)
        command_id, payload = self._ids.new_id(), self._encoded(command)
        self.rows.append(
            PendingCommand(key, command_id, payload, context, 0, due_at, in_order=False)
        )

    def _encoded(self, command: Command) -> str:
        try:
            return self._codec.encode([command])
        except CodecError as error:
            if type(command) in self._codec.types.values():
                raise
            name = type(command).__name__
            raise ConfigurationError(
                f"{name} follows, and no handler runs it: give it a row in COMMANDS"
            ) from error

    def _parked(self, row: PendingCommand, command: Command) -> PendingCommand:
        """The pending command as a dead letter, which ends an endless loop."""
        envelope = self._envelope
        named = loop(
            self._log, command.message_name, envelope.message.message_name, envelope.context
        )
        reason = f"an endless loop? {row.context.depth} follow-ups in a row: {named}"
        return msgspec.structs.replace(row, attempts=0, parked_at=self._now, error=reason)
