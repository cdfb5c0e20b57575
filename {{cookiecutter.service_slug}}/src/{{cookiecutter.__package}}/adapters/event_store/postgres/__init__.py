"""The event store in Postgres: one statement for each commit, and data that SQL can read."""

from pathlib import Path
from typing import Any

import psycopg

from ....bus import ConfigurationError, EventStore
from ....config import Settings
from .database import PostgresDatabase, checked_url, line, unavailable
from .store import PostgresEventStore

__all__ = ["PostgresDatabase", "PostgresEventStore", "create", "open_store"]


def create(settings: Settings) -> None:
    """Migrate the schema to the revision that this service needs, from any earlier revision.

    Raises `ConfigurationError` for an invalid URL, and if the database refuses, `StoreUnavailable`
    if it does not answer.
    """
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError
    from sqlalchemy.exc import DBAPIError

    url = _url(settings)
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    options: dict[str, Any] = {
        "connect_timeout": max(2, round(settings.database_timeout_seconds)),
        "prepare_threshold": None,  # a pooler would keep what is prepared, for other clients
    }
    config.attributes["connect"] = lambda: psycopg.connect(url, **options)
    try:
        command.upgrade(config, "head")
    except CommandError as error:  # such as a revision that none of the migrations has
        raise ConfigurationError(f"DATABASE_URL: {error}") from error
    except DBAPIError as error:
        cause = error.orig or error
        if isinstance(cause, psycopg.OperationalError):
            raise unavailable(line(cause)) from error
        raise ConfigurationError(f"DATABASE_URL: {line(cause)}") from error


def open_store(settings: Settings) -> EventStore:
    """The store in the database at DATABASE_URL."""
    return PostgresEventStore(
        _url(settings),
        wait=settings.database_timeout_seconds,
        pooled=settings.database_pooler == "transaction",
    )


def _url(settings: Settings) -> str:
    if settings.database_url is None:
        raise ConfigurationError("DATABASE_URL: not set, and STORE=postgres needs it")
    return checked_url(settings.database_url.get_secret_value())
