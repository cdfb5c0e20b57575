"""How often, and when, a command is tried: after a conflict, and as a follow-up."""

import random
import time
from datetime import timedelta

import msgspec


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

    `inline`: before `handle` returns, one attempt each, within so many `steps` and `seconds`. A worker
    takes up what is left and what failed, first after `grace`, then after twice as long each time, up
    to `longest_wait`. After so many `attempts` in all, the command is parked. Not `inline`: workers
    run all of them, as soon as they see them.
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
