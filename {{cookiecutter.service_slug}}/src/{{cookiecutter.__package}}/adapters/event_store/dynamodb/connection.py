"""The connection to DynamoDB: the one module that uses private names of pynamodb.

pynamodb has no public way to give it a botocore session, or to scan one page with what it read.
"""

from typing import Any, NamedTuple

from botocore.exceptions import NoRegionError
from pynamodb.connection import Connection
from pynamodb.expressions.condition import Condition

from ....bus import ConfigurationError
from ... import aws
from . import table
from .errors import translating_errors


class Page(NamedTuple):
    """The items of one page of a scan, how many it read to find them, and where the next begins: None
    at the end."""

    items: list[table.Item]
    scanned: int
    next: dict[str, Any] | None


def opened(item: type[table.Item]) -> Connection:
    """The connection of this table, whose client is made by the process's one botocore session, and
    now, before a request waits for it. Raises `ConfigurationError` without a region."""
    connection = item._get_connection().connection
    # pynamodb keeps a session for each thread. The client is made by that of the thread which first
    # asks for it: this one.
    connection._local.session = aws.session()
    try:
        connection.client  # noqa: B018 - the property makes it
    except NoRegionError as error:
        raise ConfigurationError("AWS_REGION: name a region, such as eu-west-1") from error
    return connection


def scan(
    item: type[table.Item], wanted: Condition, limit: int | None, start: dict[str, Any] | None
) -> Page:
    """Read up to `limit` items after `start`, at most 1 MB, and give those that are wanted."""
    with translating_errors():
        found = item._get_connection().scan(
            filter_condition=wanted,
            limit=limit,
            exclusive_start_key=start or None,  # type: ignore[arg-type]  # pynamodb's annotation is wrong
            consistent_read=True,
        )
    items = [item.from_raw_data(raw) for raw in found["Items"]]
    return Page(items, int(found["ScannedCount"]), found.get("LastEvaluatedKey"))
