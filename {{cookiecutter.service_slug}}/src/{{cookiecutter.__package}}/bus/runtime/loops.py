"""Loops of follow-ups: names the commands of a chain that is too deep to be meant."""

from ..model.context import Context
from ..store.commit import StoredCommit
from ..store.log import Log

NAMED = 20
"""The longest loop that is named whole."""

LONGEST_COMMIT = 100
"""A cause is looked for in commits of up to so many events of its stream."""


def loop(log: Log, follow_up: str, command: str, context: Context) -> str:
    """The loop that leads to `follow_up`, which follows from `command`, as "A → B → A".

    Walks from each command to the one whose event caused it, until it meets a name again.
    `context` is that of `command`. A loop of more than `NAMED` commands is named in part.
    """
    names, cause = [follow_up, command], context.causation_id
    while len(set(names)) == len(names) <= NAMED:
        earlier = _commit_of(log, cause or "")
        if earlier is None:
            break
        names.append(earlier.command)
        cause = earlier.context.causation_id
    return " → ".join(reversed(names))


def _commit_of(log: Log, event_id: str) -> StoredCommit | None:
    """The commit with this event, such as ``Order/42@7``."""
    stream_id, _, text = event_id.rpartition("@")
    if not (stream_id and text.isdecimal()):
        return None
    version = int(text)
    commits = log.commits(stream_id, max(1, version - LONGEST_COMMIT), version)
    return commits[-1] if commits else None
