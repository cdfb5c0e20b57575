"""The Postgres database: its connection pool, and the checks of its schema and of its server."""

import logging
import re
import select
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Any, Self, TypeVar

import psycopg
from psycopg.abc import PQGen
from psycopg.pq import TransactionStatus
from psycopg.rows import TupleRow
from psycopg_pool import ConnectionPool, PoolClosed, PoolTimeout, TooManyRequests

from ....bus import ConcurrencyError, ConfigurationError, StoreUnavailable
from .. import CREATE

R = TypeVar("R")

REVISION = "1.0.0"
"""The revision of the newest migration. This code runs on it, and on later ones that serve it."""

CONNECTIONS, SPARE_CONNECTIONS, WAIT_SECONDS = 10, 2, 5.0
OPTIONS = "-c statement_timeout=15000 -c lock_timeout=2000"
FIRST, AGAIN = 0.6, 0.15
"""Which parts of `wait` a call has: while the server answers, and after it was silent. The bus
sends a commit three times at most, and all three fit into `wait`."""
PATIENCE = 20.0
"""How many seconds a statement has that works on a whole table: a little more than the server's
statement_timeout, so that the server ends it."""

DRAWN = "CASE WHEN is_called THEN last_value ELSE last_value - 1 END"
"""The last position that was drawn from the sequence, which has these columns."""

STANDBY = "the server is a standby, which cannot be written to: connect to the primary"
POOLER = "a connection pooler in transaction mode needs DATABASE_POOLER=transaction"
NO_URL = (
    "DATABASE_URL: not of the form postgresql://user:password@host:port/database; in the password, "
    "write @ / : ? # % and spaces as %40 %2F %3A %3F %23 %25 %20"
)

logging.getLogger("psycopg.pool").setLevel(logging.ERROR)  # a call that fails raises an error


class _Connection(psycopg.Connection[TupleRow]):
    """A connection whose statements have `seconds` each. libpq waits for an answer without a limit:
    TCP time-outs do not see a server process that has stopped."""

    seconds = PATIENCE

    def wait(self, gen: PQGen[R], interval: float = 0.1, timeout: float | None = None) -> R:
        try:
            return super().wait(gen, interval, self.seconds if timeout is None else timeout)
        except psycopg.OperationalError as error:
            if self.pgconn.transaction_status != TransactionStatus.ACTIVE:
                raise
            self.close()  # the answer may still come, and must not be taken for that of another
            raise NoAnswer(f"no answer within {self.seconds:.1f} seconds") from error

    def is_open(self, *, ask: bool) -> bool:
        """Whether it can be used. If the other end has closed an idle connection, there is
        something to read. `ask` sends an empty statement in any case."""
        try:
            if ask or _is_readable(self.pgconn.socket):
                self.execute("")
        except psycopg.Error:
            return False
        return True


class NoAnswer(psycopg.OperationalError):
    """The server did not answer a statement in time."""


SILENCE = (NoAnswer, psycopg.errors.ConnectionTimeout)
FOREIGN = (psycopg.errors.InvalidSqlStatementName, psycopg.errors.DuplicatePreparedStatement)
"""Prepared statements that another client of the same pooler has, or has not, prepared."""


class PostgresDatabase:
    """The database at `url`, with a connection pool for any number of threads. If the server does
    not answer, or none of the `connections` becomes free, a call raises `StoreUnavailable`. That
    takes less than `wait` seconds, also for a commit that the bus sends again.

    `pooled`: a connection pooler in transaction mode stands before the server. Each transaction may
    run on another connection of the pooler, so nothing is left in a session: no prepared statements
    and no options.

    Raises `ConfigurationError` for an invalid URL, for a schema that does not serve this code, if
    the options are refused, and for a server or a user that the feed cannot be read with. If the
    server does not answer yet, nothing is raised: the first connection that works checks all this.
    """

    def __init__(
        self,
        url: str,
        *,
        connections: int = CONNECTIONS,
        wait: float = WAIT_SECONDS,
        pooled: bool = False,
    ) -> None:
        self.losses = 0
        """How often the server, or a connection to it, was found to be lost."""
        self._checked = False
        self._wait = wait
        self._failure: psycopg.Error | None = None  # the last one, until the server answers again
        self._pool: ConnectionPool[_Connection] = ConnectionPool(
            checked_url(url),
            min_size=0,
            max_size=connections,
            max_idle=300,
            # After it, a caller's turn makes the next attempt. The pool's own attempts become rare
            # in a long outage, and would go on waiting when the server is back.
            reconnect_timeout=wait,
            connection_class=self._connection_class(),
            kwargs={
                "autocommit": True,
                "connect_timeout": max(2, round(wait * FIRST)),
                "keepalives_idle": 30,
                "keepalives_interval": 5,
                "keepalives_count": 3,
                **({"prepare_threshold": None} if pooled else {"options": OPTIONS}),
            },
            open=True,
        )
        try:
            with self.connection():
                pass
        except StoreUnavailable as error:
            if "unsupported startup parameter" in str(error):
                self._pool.close()
                raise ConfigurationError(f"DATABASE_URL: {POOLER}") from error
        except ConfigurationError:
            self._pool.close()
            raise

    def _connection_class(self) -> type[_Connection]:
        """Connections that keep why one could not be made: the pool says only that it has none."""
        database = self

        class Connection(_Connection):
            @classmethod
            def connect(cls, conninfo: str = "", **options: Any) -> Self:
                try:
                    connection = super().connect(conninfo, **options)
                except psycopg.Error as error:
                    database._failure = error
                    raise
                if not isinstance(database._failure, SILENCE):  # a pooler may answer in its place
                    database._failure = None
                return connection

        return Connection

    def close(self) -> None:
        """Close the pool."""
        self._pool.close()

    @contextmanager
    def connection(self, *, patient: bool = False) -> Iterator[psycopg.Connection[TupleRow]]:
        """A connection from the pool, for this call alone, in autocommit. If it is `patient`, a
        statement may take as long as the server lets it."""
        try:
            connection = self._take(patient)
            try:
                if not self._checked:
                    check_revision(connection)
                    check_feed(connection)
                    self._checked = True
                yield connection
            finally:
                self._pool.putconn(connection)
        except (PoolTimeout, PoolClosed, TooManyRequests) as error:
            if self._failure:
                raise unavailable(line(self._failure)) from error
            raise StoreUnavailable(f"Postgres: no connection is free: {line(error)}") from error
        except (psycopg.errors.DeadlockDetected, psycopg.errors.SerializationFailure) as error:
            raise ConcurrencyError from error
        except FOREIGN as error:
            raise StoreUnavailable(f"Postgres: {line(error)}: {POOLER}") from error
        except NoAnswer as error:
            self.losses += 1
            if not patient:
                self._failure = error
            raise StoreUnavailable(f"Postgres: {line(error)}") from error
        except (psycopg.OperationalError, psycopg.InterfaceError) as error:
            self.losses += 1
            raise StoreUnavailable(f"Postgres: {line(error)}") from error

    def _take(self, patient: bool) -> _Connection:
        """An open connection. A server that was silent is asked first, and briefly."""
        is_silent = isinstance(self._failure, SILENCE)
        deadline = monotonic() + self._wait * (AGAIN if is_silent else FIRST)
        while True:
            connection = self._pool.getconn(deadline - monotonic())
            connection.seconds = max(0.0, deadline - monotonic())
            if connection.is_open(ask=is_silent):
                break
            self.losses += 1
            connection.close()
            self._pool.putconn(connection)
        if is_silent:
            self._failure, connection.seconds = None, self._wait * FIRST
        if patient:
            connection.seconds = PATIENCE
        return connection

    @contextmanager
    def reading(self) -> Iterator[psycopg.Connection[TupleRow]]:
        """A read transaction at REPEATABLE READ: everything is read as of one moment."""
        with self.connection(patient=True) as connection, connection.transaction():
            connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            yield connection

    def fetch(self, statement: str, values: Any = (), *, patient: bool = False) -> list[TupleRow]:
        """Run one statement. Returns its rows."""
        with self.connection(patient=patient) as connection:
            return connection.execute(statement.encode(), values).fetchall()

    def change(self, statement: str, values: Any = ()) -> bool:
        """Run a statement that changes one row, or none. Returns whether it changed one."""
        with self.connection() as connection:
            return connection.execute(statement.encode(), values).rowcount == 1


def _is_readable(file: int) -> bool:
    poll = select.poll()
    poll.register(file, select.POLLIN)
    return bool(poll.poll(0))


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


def schema(connection: psycopg.Connection[TupleRow]) -> tuple[str, str] | None:
    """The revision of the schema, and the oldest revision whose code it serves. None if the
    database is empty."""
    try:
        row = connection.execute(
            "SELECT version_num, serves FROM alembic_version, schema"
        ).fetchone()
    except psycopg.errors.UndefinedTable:
        return None
    except psycopg.ProgrammingError as error:  # no permission, say
        raise ConfigurationError(f"DATABASE_URL: {line(error)}") from error
    return row and (str(row[0]), str(row[1]))


def is_older(revision: str, than: str) -> bool:
    """Whether a revision, such as 1.2.0, comes before another."""
    return _numbers(revision) < _numbers(than)


def _numbers(revision: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", revision)]


def check_revision(connection: psycopg.Connection[TupleRow]) -> None:
    """Raises `ConfigurationError` if the schema is older than this code, or so new that it no
    longer serves it. In between, two releases run on one schema: during a roll-out, and after the
    code was rolled back (expand and contract). A migration that only adds serves all code before
    it. One that takes something away says in the table `schema` which code it still serves."""
    found = schema(connection)
    if found is None or is_older(found[0], REVISION):
        is_what = f"is at revision {found[0]}" if found else "is empty"
        raise ConfigurationError(
            f"DATABASE_URL: the schema {is_what}, this service needs {REVISION}: {CREATE}"
        )
    revision, serves = found
    if is_older(REVISION, serves):
        raise ConfigurationError(
            f"DATABASE_URL: the schema is at revision {revision}, which serves releases from"
            f" {serves} on, and this one is of {REVISION}: deploy a later release"
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
