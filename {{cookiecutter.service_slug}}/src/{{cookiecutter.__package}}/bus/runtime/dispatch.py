"""Retry and dispatch: how often and when a command runs, after a conflict and as a follow-up."""

import random
import time
from datetime import timedelta

import msgspec

from ..model.messages import Command


class Retry(msgspec.Struct, frozen=True, kw_only=True):
    """Exponential backoff with full jitter (Brooker, "Exponential Backoff and Jitter", 2015): how
    a command is run again after a conflict.

    It runs at most `attempts` times. The pause before the next run is random: at most `base`
    seconds, doubled with each attempt up to `cap`. If the store does not answer, the identical
    commit is sent again, at most `resends` times.
    """

    attempts: int = 12
    base: float = 0.004
    cap: float = 0.5
    resends: int = 2

    def pause(self, attempt: int) -> None:
        time.sleep(random.uniform(0, min(self.cap, self.base * 2**attempt)))  # noqa: S311 - jitter


class Dispatch(msgspec.Struct, frozen=True, kw_only=True):
    """How follow-ups run.

    `inline`: they run before `handle` returns, one attempt each, at most `steps` of them, and none
    that might take beyond `seconds`. A worker runs those that are left and those that failed. Not
    `inline`: workers run all of them as soon as they see them.

    An attempt may take the `time_limit` of its command, or this one. It is claimed for that limit
    and `grace`, and the claim is not renewed: then another attempt may begin. The wait for that
    doubles with each attempt, from `grace` up to `longest_wait`. After `attempts` attempts in all,
    the command is parked.

    `max_depth` is the brake on endless loops, in which follow-ups lead to follow-ups for ever: the
    command that would be the next in a chain of `max_depth` follow-ups is parked. After it is
    replayed, its chain may go on for as many again.
    """

    inline: bool = True
    steps: int = 100
    seconds: float = 10.0
    time_limit: timedelta = timedelta(seconds=5)
    grace: timedelta = timedelta(seconds=5)
    longest_wait: timedelta = timedelta(minutes=5)
    attempts: int = 10
    max_depth: int = 100

    def brakes(self, depth: int) -> bool:
        """Whether a follow-up of this depth is parked."""
        return depth > 0 and depth % (self.max_depth + 1) == 0

    def limit_of(self, command: type[Command]) -> timedelta:
        """How long an attempt to run this command may take."""
        return command.time_limit or self.time_limit

    def fits_inline(self, command: type[Command]) -> bool:
        """Whether this command may be the first to run inline."""
        return self.inline and self.limit_of(command).total_seconds() <= self.seconds

    def claim_of(self, command: type[Command], attempts: int) -> timedelta:
        """For how long attempt number `attempts` is claimed. If it fails, the next one begins after
        that."""
        return self.limit_of(command) + max(self.grace, self.wait_after(attempts))

    def wait_after(self, attempts: int) -> timedelta:
        """The wait between attempt number `attempts` and the next: doubled each time, then
        multiplied by a random factor from 0.5 to 1 (jitter)."""
        doubled: int = 2 ** min(attempts - 1, 30)
        wait = min(self.grace * doubled, self.longest_wait)
        jitter: float = random.uniform(0.5, 1)  # noqa: S311 - jitter
        return wait * jitter
