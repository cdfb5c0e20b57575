"""AWS: the one botocore session of the process. It makes all clients."""

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from botocore.session import Session


@cache
def session() -> "Session":
    """The session caches what it has read about AWS and the credentials, so the next client takes
    half the time. Making a client is not thread-safe: do so at start, or under a lock."""
    from botocore.session import get_session  # imported here: slow, and often not needed

    return get_session()
