"""The event store on Postgres: DATABASE_URL."""

from pydantic import SecretStr

from . import Mixin


class PostgresSettings(Mixin):
    """The database. Its URL holds a password, and is not shown."""

    database_url: SecretStr | None = None
