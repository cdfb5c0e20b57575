"""The event store in Postgres: one statement for each commit, and data that SQL can read."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import psycopg

from ....bus import ConfigurationError, EventStore
from ....config import Settings
from . import secret
from .database import (
    CONNECTIONS,
    DRAWN,
    REVISION,
    SPARE_CONNECTIONS,
    PostgresDatabase,
    check_revision,
    checked_url,
    is_older,
    line,
    schema,
    unavailable,
)
from .store import PostgresEventStore

MIGRATIONS = Path(__file__).parent / "migrations"

__all__ = ["PostgresDatabase", "PostgresEventStore", "create", "open_store"]


def create(settings: Settings) -> None:
    """Migrate the schema to the revision that this service needs, from any earlier revision. A
    later one that serves this code stays. If the sequence of positions lags behind the log, as
    after logical replication, set it to its end.

    Raises `ConfigurationError` for an invalid URL, for a later schema that does not serve this
    code, and if the database refuses, `StoreUnavailable` if it does not answer.
    """
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError
    from sqlalchemy.exc import DBAPIError

    url = _url(settings)
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    connect = partial(
        psycopg.connect,
        url,
        connect_timeout=max(2, round(settings.database_timeout_seconds)),
        prepare_threshold=None,  # a pooler would keep what is prepared, for other clients
    )
    config.attributes["connect"] = connect
    try:
        if not _is_later(connect):
            command.upgrade(config, "head")
        with connect() as connection:
            check_revision(connection)
            _advance_positions(connection)
    except CommandError as error:  # such as a revision that none of the migrations has
        raise ConfigurationError(f"DATABASE_URL: {error}") from error
    except (DBAPIError, psycopg.Error) as error:
        cause = getattr(error, "orig", None) or error
        if isinstance(cause, psycopg.OperationalError):
            raise unavailable(line(cause)) from error
        raise ConfigurationError(f"DATABASE_URL: {line(cause)}") from error


def _is_later(connect: Callable[[], psycopg.Connection[Any]]) -> bool:
    """Whether a later release has migrated the schema already."""
    with connect() as connection:
        found = schema(connection)
    return found is not None and is_older(REVISION, found[0])


def _advance_positions(connection: psycopg.Connection[Any]) -> None:
    """Set the sequence to the end of the log, if it lags. Nobody draws a position meanwhile,
    because an append needs the lock on the log before that."""
    lags = f"(SELECT max(position) FROM commits) > {DRAWN}"
    found = connection.execute(f"SELECT {lags} FROM commits_position_seq".encode()).fetchone()
    if found and found[0]:
        connection.execute("SET LOCAL lock_timeout = '15s'")
        connection.execute("LOCK TABLE commits IN SHARE ROW EXCLUSIVE MODE")
        connection.execute(
            "SELECT setval('commits_position_seq', (SELECT max(position) FROM commits))"
            f" FROM commits_position_seq WHERE {lags}".encode()
        )


def open_store(settings: Settings) -> EventStore:
    """The store in the database at DATABASE_URL, with a connection for each thread of a worker, and
    some for the others."""
    return PostgresEventStore(
        _url(settings),
        connections=max(CONNECTIONS, settings.worker_threads + SPARE_CONNECTIONS),
        wait=settings.database_timeout_seconds,
        pooled=settings.database_pooler == "transaction",
    )


def _url(settings: Settings) -> str:
    if settings.database_url is None and settings.database_secret_arn:
        return checked_url(secret.database_url(settings))
    if settings.database_url is None:
        raise ConfigurationError("DATABASE_URL: not set, and STORE=postgres needs it")
    return checked_url(settings.database_url.get_secret_value())
