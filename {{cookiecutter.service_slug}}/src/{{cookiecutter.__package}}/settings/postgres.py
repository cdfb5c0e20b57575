"""The event store on Postgres: its address, its pooler, and how long it is waited for."""

from typing import Literal

from pydantic import Field, SecretStr

from . import Mixin


class PostgresSettings(Mixin):
    """The database, or the secret that names it; whether a connection pooler in transaction mode
    stands before it, and for how many seconds a request waits for it. The URL holds a password, and
    is not shown."""

    database_url: SecretStr | None = None
    database_secret_arn: str | None = None
    database_pooler: Literal["none", "transaction"] = "none"
    database_timeout_seconds: float = Field(default=5, ge=1, le=60)
