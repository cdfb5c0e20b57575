"""The Postgres database: its connection pool, and the checks of its schema and of its server."""

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Self

import psycopg
from psycopg.rows import TupleRow
from psycopg_pool import ConnectionPool, PoolClosed, PoolTimeout, TooManyRequests

from ....bus import ConcurrencyError, ConfigurationError, StoreUnavailable
from .. import CREATE

REVISION = "1.0.0"
"""The revision of the newest migration."""

CONNECTIONS, WAIT_SECONDS = 10, 3.0
OPTIONS = "-c statement_timeout=15000 -c lock_timeout=3000"

DRAWN = "CASE WHEN is_called THEN last_value ELSE last_value - 1 END"
"""The last position that was drawn from the sequence, which has these columns."""

STANDBY = "the server is a standby, which cannot be written to: connect to the primary"

NO_URL = (
    "DATABASE_URL: not of the form postgresql://user:password@host:port/database; in the password, "
    "write @ / : ? # % and spaces as %40 %2F %3A %3F %23 %25 %20"
)

logging.getLogger("psycopg.pool").setLevel(logging.ERROR)  # a call that fails raises an error


class PostgresDatabase:
    """The database at `url`, with a connection pool for any number of threads. A call waits for one
    of the `connections` for at most `wait` seconds, then it raises `StoreUnavailable`.

    Raises `ConfigurationError` for an invalid URL, for a schema of another revision, and for a
    server or a user that the feed cannot be read with. If the server does not answer yet, nothing
    is raised: the first connection that works checks all this.
    """

    def __init__(
        self, url: str, *, connections: int = CONNECTIONS, wait: float = WAIT_SECONDS
    ) -> None:
        self.losses = 0
        """How often a call has failed because the server, or a connection to it, was lost."""
        self._checked = False
        self._refusal = ""  # why the last attempt to connect failed
        self._pool: ConnectionPool[psycopg.Connection[TupleRow]] = ConnectionPool(
            checked_url(url),
            min_size=0,
            max_size=connections,
            timeout=wait,
            max_idle=300,
            connection_class=self._connection_class(),
            kwargs={
                "autocommit": True,
                "connect_timeout": max(2, round(wait)),
                "options": OPTIONS,
                "keepalives_idle": 30,
            },
            open=True,
        )
        try:
            with self.connection():
                pass
        except StoreUnavailable:
            pass
        except ConfigurationError:
            self._pool.close()
            raise

    def _connection_class(self) -> type[psycopg.Connection[TupleRow]]:
        """Connections that keep why one could not be made: the pool says only that it has none."""
        database = self

        class Connection(psycopg.Connection[TupleRow]):
            @classmethod
            def connect(cls, conninfo: str = "", **options: Any) -> Self:
                try:
                    connection = super().connect(conninfo, **options)
                except psycopg.Error as error:
                    database._refusal = line(error)
                    raise
                database._refusal = ""
                return connection

        return Connection

    def close(self) -> None:
        """Close the pool."""
        self._pool.close()

    @contextmanager
    def connection(self) -> Iterator[psycopg.Connection[TupleRow]]:
        """A connection from the pool, for this call alone, in autocommit."""
        try:
            with self._pool.connection() as connection:
                if not self._checked:
                    check_revision(connection)
                    check_feed(connection)
                    self._checked = True
                yield connection
        except (PoolTimeout, PoolClosed, TooManyRequests) as error:
            if self._refusal:
                raise unavailable(self._refusal) from error
            raise StoreUnavailable(f"Postgres: no connection is free: {line(error)}") from error
        except (psycopg.errors.DeadlockDetected, psycopg.errors.SerializationFailure) as error:
            raise ConcurrencyError from error
        except (psycopg.OperationalError, psycopg.InterfaceError) as error:
            self.losses += 1
            raise StoreUnavailable(f"Postgres: {line(error)}") from error

    @contextmanager
    def reading(self) -> Iterator[psycopg.Connection[TupleRow]]:
        """A read transaction at REPEATABLE READ: everything is read as of one moment."""
        with self.connection() as connection, connection.transaction():
            connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            yield connection

    def fetch(self, statement: str, values: Any = ()) -> list[TupleRow]:
        """Run one statement. Returns its rows."""
        with self.connection() as connection:
            return connection.execute(statement.encode(), values).fetchall()

    def change(self, statement: str, values: Any = ()) -> bool:
        """Run a statement that changes one row, or none. Returns whether it changed one."""
        with self.connection() as connection:
            return connection.execute(statement.encode(), values).rowcount == 1


def checked_url(url: str) -> str:
    """The URL, if it is valid. The error never repeats the URL, because it may hold a password."""
    try:
        parts = psycopg.conninfo.conninfo_to_dict(url)
    except psycopg.ProgrammingError:
        raise ConfigurationError(NO_URL) from None
    # A password with one of these characters as it is ends up, in part, where the host, the port or
    # the database should be, and errors would repeat it.
    ports = str(parts.get("port", "")).split(",")
    places = f"{parts.get('host', '')}{parts.get('dbname', '')}"
    if "://" in url and ("@" in places or not all(each.isdecimal() or not each for each in ports)):
        raise ConfigurationError(NO_URL)
    return url


def check_revision(connection: psycopg.Connection[TupleRow]) -> None:
    """Raises `ConfigurationError` if the schema is of another revision."""
    try:
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    except psycopg.errors.UndefinedTable:
        row = None
    except psycopg.ProgrammingError as error:  # no permission, say
        raise ConfigurationError(f"DATABASE_URL: {line(error)}") from error
    if row is None or row[0] != REVISION:
        found = f"is at revision {row[0]}" if row else "is empty"
        raise ConfigurationError(
            f"DATABASE_URL: the schema {found}, this service needs {REVISION}: {CREATE}"
        )


def check_feed(connection: psycopg.Connection[TupleRow]) -> None:
    """Raises `ConfigurationError` if the feed could not be read, or not without skipping: on a
    standby, without the rights, or if the sequence does not give positions in ascending order."""
    try:
        connection.execute("SELECT FROM pg_locks, pg_stat_activity, pg_prepared_xacts LIMIT 0")
        row = connection.execute(
            "SELECT pg_is_in_recovery(), seqcache, seqincrement,"
            f" coalesce((SELECT max(position) FROM commits) > {DRAWN}, false)"
            " FROM commits_position_seq, pg_sequence"
            " WHERE seqrelid = 'commits_position_seq'::regclass".encode()
        ).fetchone()
    except psycopg.ProgrammingError as error:  # no permission, say
        raise ConfigurationError(f"DATABASE_URL: {line(error)}") from error
    is_standby, cache, increment, lags = row or (False, 0, 0, False)
    if is_standby:
        raise ConfigurationError(f"DATABASE_URL: {STANDBY}")
    if (cache, increment) != (1, 1):
        raise ConfigurationError(
            "DATABASE_URL: the sequence commits_position_seq must count by one, without a cache:"
            " run `ALTER SEQUENCE commits_position_seq INCREMENT 1 CACHE 1`"
        )
    if lags:
        raise ConfigurationError(
            "DATABASE_URL: the sequence commits_position_seq lags behind the log, as after logical"
            f" replication: {CREATE}"
        )


def unavailable(reason: str) -> StoreUnavailable:
    """The error after a connection could not be made, with what to do."""
    cure = "is DATABASE_URL right, and does the server run?"
    if re.search(r'database ".*" does not exist', reason):
        cure = f"create the database, then {CREATE}"
    return StoreUnavailable(f"Postgres: {reason}: {cure}")


def line(error: BaseException) -> str:
    """The text of an error, in one line."""
    return " ".join(str(error).split()) or type(error).__name__
