"""The HTTP server: HOST, PORT, DRAIN_SECONDS, REQUEST_SECONDS, KEEP_ALIVE_SECONDS and
MAX_CONNECTIONS."""

from pydantic import Field

from . import Mixin


class ServerSettings(Mixin):
    """Where it listens, for how many seconds it still takes requests after SIGTERM, and what it
    bears of slow clients: the seconds for a whole request to arrive, the seconds that a connection
    may be idle between two requests, and how many connections there may be."""

    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65535)
    drain_seconds: float = Field(default=0, ge=0, le=900)
    request_seconds: float = Field(default=20, gt=0, le=3600)
    keep_alive_seconds: int = Field(default=5, ge=1, le=3600)
    max_connections: int = Field(default=500, ge=1)
