"""The connection to DynamoDB: the one module that uses private names of pynamodb.

pynamodb has no public way to use a given botocore session, or to scan a single page and get the
number of items it read.
"""

from typing import Any, NamedTuple

from botocore.exceptions import NoRegionError
from pynamodb.connection import Connection
from pynamodb.expressions.condition import Condition

from ....bus import ConfigurationError
from ... import aws
from . import table
from .errors import refuse_cut_answer, translating_errors


class Page(NamedTuple):
    """A page of a scan: its items, the number of items that were read to find them, and the key
    where the next page begins, None at the end."""

    items: list[table.Item]
    scanned: int
    next: dict[str, Any] | None


def opened(item: type[table.Item]) -> Connection:
    """The connection of this table. Its client is made now, so that the first request need not wait
    for it, and by the one botocore session of the process. Raises `ConfigurationError` without a
    region."""
    connection = item._get_connection().connection
    # pynamodb keeps a session for each thread, and makes the client with the session of the thread
    # that first needs it. That is this thread.
    connection._local.session = aws.session()
    try:
        connection.client.meta.events.register("after-call", refuse_cut_answer)
    except NoRegionError as error:
        raise ConfigurationError("AWS_REGION: name a region, such as eu-west-1") from error
    return connection


def scan(
    item: type[table.Item], wanted: Condition, limit: int | None, start: dict[str, Any] | None
) -> Page:
    """Scan one page: read up to `limit` items after `start`, at most 1 MB, and return those that
    match `wanted`."""
    with translating_errors():
        found = item._get_connection().scan(
            filter_condition=wanted,
            limit=limit,
            exclusive_start_key=start or None,  # type: ignore[arg-type]  # wrongly annotated
            consistent_read=True,
        )
    items = [item.from_raw_data(raw) for raw in found["Items"]]
    return Page(items, int(found["ScannedCount"]), found.get("LastEvaluatedKey"))
