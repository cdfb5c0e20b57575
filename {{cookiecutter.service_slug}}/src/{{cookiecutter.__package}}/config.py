"""The settings of the service, from environment variables. A wrong value stops the start.

`Settings` inherits a mixin from each module of `settings/`.
"""

from typing import Self

from pydantic import ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from .bus import ConfigurationError
from .settings import (
    files,
    log,
    server,
    sqlite,
    store,
    worker,
)

CHECKS = (  # one function per rule about several settings
    store.check,
)


class Settings(
    BaseSettings,
    files.FilesSettings,
    log.LogSettings,
    server.ServerSettings,
    sqlite.SQLiteSettings,
    store.StoreSettings,
    worker.WorkerSettings,
):
    """Read from the environment, in capitals (`store` is STORE), and from a file `.env`."""

    model_config = SettingsConfigDict(
        env_file=".env",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
    )

    @model_validator(mode="after")
    def _checked(self) -> Self:
        for check in CHECKS:
            check(self)
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
    """Removes what pydantic adds in front of the messages of our own validators."""
    return message.removeprefix("Value error, ")
