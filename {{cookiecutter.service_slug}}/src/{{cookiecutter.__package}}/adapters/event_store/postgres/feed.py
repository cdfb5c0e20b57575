"""The feed of the Postgres log: in the order of positions, up to a bound that is settled.

Grace period, as in RCU (read-copy-update, McKenney and Slingwine, 1998). A commit that draws its
position first may end last, so the feed must not pass a position whose transaction may still run.
It reads the last position that was drawn, S, and then who holds the lock that each append takes on
the log before it draws. When all of *these* have ended, each position up to S is visible or never
will be: S is the new bound. Whoever takes the lock later draws a position above S.

Within a stream, positions rise with versions: an append draws its position after it has locked the
head of its stream, so only when the append before it has ended.

A position belongs to the data, not to the server, so a checkpoint is good in every copy of the
database. Nobody who leaves the log alone is waited for, whatever else they write.
"""

import logging
import time
from collections.abc import Callable
from threading import Lock
from typing import Any

import msgspec
import psycopg

from ....bus import FeedPage, StoreUnavailable
from .database import DRAWN, STANDBY, PostgresDatabase
from .rows import COMMIT_COLUMNS, stored_commit

WAITS = (0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.032)
"""How long a call waits for those who have just taken the lock, in seconds: most end at once."""

TOLD_AFTER, TOLD_EVERY = 10.0, 60.0
"""When the log names those who hold the feed back, in seconds."""

HOLDERS = (
    "pg_locks AS holder WHERE holder.locktype = 'relation' AND holder.granted"
    " AND holder.database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    " AND holder.relation = 'commits'::regclass AND holder.mode = 'RowExclusiveLock'"
)
LOOK = (
    f"SELECT {DRAWN}, pg_postmaster_start_time()::text, pg_is_in_recovery()"
    f" FROM commits_position_seq; SELECT holder.virtualtransaction FROM {HOLDERS}"
).encode()
"""Two statements in one round trip. The positions come first: who draws one after that statement
may be missing from the answer of the other."""

PAGE = (
    f"SELECT {COMMIT_COLUMNS}, position FROM commits"
    " WHERE position > %s AND position <= %s ORDER BY position LIMIT %s"
)
NO_BOUND = 2**63 - 1
NAMES = f"""
SELECT holder.pid, prepared.gid,
    extract(epoch FROM clock_timestamp() - coalesce(prepared.prepared, xact_start))::float8
FROM (SELECT * FROM {HOLDERS}) AS holder
LEFT JOIN pg_stat_activity AS activity ON activity.pid = holder.pid
LEFT JOIN (
    pg_locks AS own JOIN pg_prepared_xacts AS prepared
    ON prepared.transaction = own.transactionid AND own.pid IS NULL
) ON own.virtualtransaction = holder.virtualtransaction AND holder.pid IS NULL
WHERE holder.virtualtransaction = ANY(%s) ORDER BY 3 DESC NULLS LAST, 1, 2
"""

RECOVERED = "-1/"
"""How the virtual ids of prepared transactions begin after a restart: they have changed, so one may
be of those who were there before."""

logger = logging.getLogger(__name__)


class Grace(msgspec.Struct):
    """A grace period: when none of the `holders` is left, the `bound` is settled."""

    bound: int
    holders: set[str]
    began: float
    told_at: float


class PostgresFeed:
    """Reads the feed of one database. `clock` gives seconds. Safe for any number of threads."""

    def __init__(
        self, database: PostgresDatabase, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._database, self._clock = database, clock
        self._lock = Lock()
        self._server: tuple[int, str] = (0, "")
        self._settled: int | None = None
        self._grace: Grace | None = None

    def page(self, checkpoint: str | None, limit: int, *, settled: bool = True) -> FeedPage:
        """The page after the checkpoint, with all that is visible if it need not be `settled`."""
        with self._database.connection() as connection:
            bound = NO_BOUND
            if settled:
                with self._lock:
                    bound = self._bound(connection) or 0
            # In a statement of its own, whose snapshot is made when the bound is settled.
            rows = connection.execute(
                PAGE.encode(), (int(checkpoint or 0), bound, limit)
            ).fetchall()
        last = str(rows[-1][-1]) if rows else checkpoint or "0"
        return FeedPage([stored_commit(row) for row in rows], last, len(rows) == limit)

    def end(self) -> str:
        """The last bound that is settled. Raises `StoreUnavailable` if there was none yet."""
        with self._database.connection() as connection, self._lock:
            bound = self._bound(connection)
            if bound is None:
                names = "; ".join(self._names(connection))
                raise StoreUnavailable(f"Postgres: the feed is held back by {names}")
            return str(bound)

    def holders(self) -> list[str]:
        """Who holds the feed back for longer than a moment, in words."""
        with self._database.connection() as connection, self._lock:
            self._bound(connection)
            return self._names(connection)

    def _bound(self, connection: psycopg.Connection[Any]) -> int | None:
        """The highest bound that is settled, None if there is none yet. Waits for a moment if a
        grace period has just begun, and not if it has been waited for before."""
        wanted = self._look(connection)
        for seconds in WAITS:
            if wanted is None or (self._settled is not None and self._settled >= wanted):
                break
            time.sleep(seconds)
            self._look(connection)
        return self._settled

    def _look(self, connection: psycopg.Connection[Any]) -> int | None:
        """Look once who is there. Returns the bound of the grace period that has just begun; None
        while an earlier one goes on."""
        losses = self._database.losses
        # Two statements in one cannot be prepared.
        answer = connection.execute(LOOK, prepare=False)
        drawn, started, is_standby = answer.fetchone() or (0, "", True)
        answer.nextset()
        holders = {holder for (holder,) in answer.fetchall()}
        if is_standby:
            raise StoreUnavailable(f"Postgres: {STANDBY}")
        if (losses, started) != self._server or drawn < (self._settled or 0):
            # Another server may have lost positions, and draw them again: nothing is settled.
            self._server, self._settled, self._grace = (losses, started), None, None
        if self._grace:
            self._grace.holders = {
                each
                for each in holders
                if each in self._grace.holders or each.startswith(RECOVERED)
            }
            if self._grace.holders:
                self._tell(connection, self._grace)
                return None
            self._settled = self._grace.bound
        if holders:
            now = self._clock()
            self._grace = Grace(drawn, holders, now, now + TOLD_AFTER)
        else:
            self._settled, self._grace = drawn, None
        return int(drawn)

    def _tell(self, connection: psycopg.Connection[Any], grace: Grace) -> None:
        if self._clock() >= grace.told_at:
            grace.told_at = self._clock() + TOLD_EVERY
            logger.warning("the feed is held back by %s", "; ".join(self._names(connection)))

    def _names(self, connection: psycopg.Connection[Any]) -> list[str]:
        if self._grace is None:
            return []
        waited = self._clock() - self._grace.began
        found = connection.execute(NAMES.encode(), (list(self._grace.holders),)).fetchall()
        return [_name(pid, prepared, age, waited) for pid, prepared, age in found]


def _name(pid: int | None, prepared: str | None, age: float | None, waited: float) -> str:
    """A transaction in words: for how long it is open or, if the server hides that, for how long
    this feed has waited; and what ends it."""
    since = f"waited for {waited:,.1f} s" if age is None else f"open for {age:,.1f} s"
    return how_to_end(pid, prepared, f", {since}")


def how_to_end(pid: int | None, prepared: str | None, told: str) -> str:
    """What is `told` of a transaction, with its name before and what ends it after."""
    if prepared is None:
        return f"pid {pid}{told}: SELECT pg_terminate_backend({pid}) ends it"
    quoted = "'{}'".format(prepared.replace("'", "''"))
    return f"prepared transaction {quoted}{told}: ROLLBACK PREPARED {quoted} ends it"
