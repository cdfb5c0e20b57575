"""The Lambda function of a schedule: what is due, and what follows the feed."""

from typing import Any

from ...bus import advance_all
from ...observability import log
from .runtime import bus, invocation, run_due, until_time_is_up

PAGE = 100
"""How many commits a subscriber takes at a time. The checkpoint moves after each page, so even a
slow subscriber must finish one before the time of the function is up."""


def worker_handler(_event: Any, context: Any) -> dict[str, Any]:
    """Run the commands that are due: those left by a stop or a fault, and the scheduled ones.
    Then bring the read models and the other subscribers up to date, each from its own checkpoint.
    However much is due, half of the time is for them; if they need less, more commands run.

    Dead letters are an error line each time, until they are replayed or dropped: its `count` is how
    many there are, at most a hundred.

    Returns how many commands were `attempted`. Raises `StoreUnavailable`.
    """
    with invocation(context):
        attempted = run_due(context, share=0.5)
        subscriptions, outages = list(bus.subscriptions.values()), log.Outages("subscriber")
        with until_time_is_up(context, share=1.0) as stop:
            while not stop.is_set():
                if not advance_all(subscriptions, outages.failed, PAGE):
                    break
        attempted += run_due(context)
        if parked := len(bus.store.parked()):
            log.logger.error("dead letters", count=parked)
        return {"attempted": attempted}
