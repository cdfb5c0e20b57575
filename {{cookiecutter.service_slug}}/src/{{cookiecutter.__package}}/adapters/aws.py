"""AWS: the one botocore session of the process, which all its clients are made by."""

from functools import cache

from botocore.session import Session, get_session


@cache
def session() -> Session:
    """What it has read of AWS and of the credentials is there for the next client, which takes half
    the time. Making a client is not safe for threads: do so at start, or under a lock."""
    return get_session()
