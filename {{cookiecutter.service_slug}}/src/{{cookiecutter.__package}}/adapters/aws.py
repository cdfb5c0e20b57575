"""AWS: the one botocore session of the process, which all its clients are made by."""

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from botocore.session import Session


@cache
def session() -> "Session":
    """What it has read of AWS and of the credentials is there for the next client, which takes half
    the time. Making a client is not safe for threads: do so at start, or under a lock."""
    from botocore.session import get_session  # only here: slow to import, and many do without

    return get_session()
