"""Every environment variable of the service, in one place. A wrong value stops the start."""

import os
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from .bus import ConfigurationError


class Settings(BaseSettings):
    """Read from the environment, in capitals (`store` is STORE), and from a file `.env`."""

    model_config = SettingsConfigDict(
        env_file=".env",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
    )

    store: Literal["sqlite", "memory", "postgres"] = "sqlite"
    sqlite_path: Path = Path("var/{{ cookiecutter.service_slug }}.db")
    database_url: SecretStr | None = None
    aws_endpoint_url: str | None = None
    aws_region: str | None = None
    files_path: Path = Path("var/files")
    s3_bucket: str | None = None
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65535)
    drain_seconds: float = Field(default=0, ge=0, le=900)
    dispatch: Literal["inline", "worker"] = "inline"
    worker: Literal["embedded", "external"] = "embedded"
    snapshot_every: int = Field(default=0, ge=0)
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    @model_validator(mode="after")
    def _lambda_needs_a_lasting_store(self) -> "Settings":
        if "AWS_LAMBDA_FUNCTION_NAME" in os.environ and self.store in ("sqlite", "memory"):
            raise ValueError(f"STORE={self.store} would lose data on Lambda: set STORE=postgres")
        return self

    @model_validator(mode="after")
    def _memory_needs_its_own_worker(self) -> "Settings":
        if self.store == "memory" and self.worker == "external":
            raise ValueError("WORKER=external cannot see STORE=memory: it is of one process")
        return self


def load_settings() -> Settings:
    """The settings of this process. Raises `ConfigurationError`, one line, for a wrong value."""
    try:
        return Settings()
    except ValidationError as error:
        wrong = [
            ": ".join([*map(str.upper, map(str, each["loc"])), _reason(each["msg"])])
            for each in error.errors(include_url=False, include_input=False)
        ]
        raise ConfigurationError("; ".join(wrong)) from None


def _reason(message: str) -> str:
    """Pydantic puts this before what our own validators say."""
    return message.removeprefix("Value error, ")
