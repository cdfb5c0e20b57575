"""Who keeps dead rows in the tables: the oldest snapshots of the database.

Postgres removes a dead row only when no snapshot can see it any more (MVCC, multi-version
concurrency control). A pending command lives briefly and leaves a few of them. While somebody holds
an old snapshot, all of them stay in the index that workers find due commands in, and each look goes
through them.
"""

from datetime import timedelta
from typing import NamedTuple

from .database import PostgresDatabase
from .feed import how_to_end

OLD, MANY = timedelta(minutes=1), 10_000
"""From when on a snapshot is named: by its age or, if that is not known, by the number of
transactions since."""

OLDEST = """
SELECT pid, gid, slot, application, seconds, transactions FROM (
    SELECT pid, NULL AS gid, NULL AS slot, application_name AS application,
        extract(epoch FROM clock_timestamp() - xact_start)::float8 AS seconds,
        greatest(age(backend_xmin), age(backend_xid)) AS transactions
    FROM pg_stat_activity WHERE pid <> pg_backend_pid()
    AND backend_type IS DISTINCT FROM 'autovacuum worker'
    AND coalesce(datname, current_database()) = current_database()
    UNION ALL SELECT NULL, gid, NULL, '',
        extract(epoch FROM clock_timestamp() - prepared)::float8, age(transaction)
    FROM pg_prepared_xacts WHERE database = current_database()
    UNION ALL SELECT NULL, NULL, slot_name, '', NULL, age(xmin) FROM pg_replication_slots
) AS snapshot
WHERE transactions IS NOT NULL AND coalesce(seconds >= %s, transactions >= %s)
ORDER BY transactions DESC, seconds DESC
"""


class Holder(NamedTuple):
    """Who holds a snapshot: a process, a prepared transaction, or a replication slot."""

    pid: int | None
    prepared: str | None
    slot: str | None
    application: str
    seconds: float | None
    transactions: int

    def __str__(self) -> str:
        since = f"for {self.transactions:,} transactions"
        if self.seconds is not None:
            since = f"for {self.seconds:,.1f} s"
        if self.slot is not None:
            return f"replication slot {self.slot}, {since}: end a standby's query, or drop the slot"
        named = f" ({self.application})" if self.application else ""
        return how_to_end(self.pid, self.prepared, f"{named}, {since}")


def old_snapshots(database: PostgresDatabase) -> list[str]:
    """Who holds an old snapshot, the oldest first: for how long, and what ends it."""
    found = database.fetch(OLDEST, (OLD.total_seconds(), MANY))
    return [str(Holder(*row)) for row in found]
