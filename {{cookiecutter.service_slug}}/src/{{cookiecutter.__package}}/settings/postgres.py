"""The event store on Postgres: DATABASE_URL and DATABASE_TIMEOUT_SECONDS."""

from pydantic import Field, SecretStr

from . import Mixin


class PostgresSettings(Mixin):
    """The database, and for how many seconds a request waits for it. The URL holds a password, and
    is not shown."""

    database_url: SecretStr | None = None
    database_timeout_seconds: float = Field(default=5, ge=1, le=60)
