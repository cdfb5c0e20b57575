"""The HTTP server: HOST, PORT and DRAIN_SECONDS."""

from pydantic import Field

from . import Mixin


class ServerSettings(Mixin):
    """Where it listens, and for how many seconds it still takes requests after SIGTERM."""

    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65535)
    drain_seconds: float = Field(default=0, ge=0, le=900)
