"""Who runs follow-ups, in how many threads, and for how long: DISPATCH, WORKER, WORKER_THREADS,
TIME_LIMIT_SECONDS, GRACE_SECONDS, STOP_SECONDS, ALIVE_FILE and MAX_DEPTH."""

from pathlib import Path
from typing import Literal

from pydantic import Field

from . import Mixin


class WorkerSettings(Mixin):
    """Whether follow-ups run inline or by a worker, where that worker runs and in how many threads;
    how many seconds an attempt may take, how many more pass before another may begin, and how many
    a stop may take; which file a worker of its own touches while all of it runs; and after how many
    in a row a follow-up is parked, as part of an endless loop."""

    dispatch: Literal["inline", "worker"] = "inline"
    worker: Literal["embedded", "external"] = "embedded"
    worker_threads: int = Field(default=8, ge=1, le=64)
    time_limit_seconds: float = Field(default=5, gt=0, le=86_400)
    grace_seconds: float = Field(default=5, gt=0, le=3_600)
    stop_seconds: float = Field(default=10, ge=0, le=900)
    alive_file: Path | None = None
    max_depth: int = Field(default=100, ge=1)
