"""Who runs follow-ups, and how long a chain of them may be: DISPATCH, WORKER and MAX_DEPTH."""

from typing import Literal

from pydantic import Field

from . import Mixin


class WorkerSettings(Mixin):
    """Whether follow-ups run inline or by a worker, where that worker runs, and after how many in a
    row a follow-up is parked, as part of an endless loop."""

    dispatch: Literal["inline", "worker"] = "inline"
    worker: Literal["embedded", "external"] = "embedded"
    max_depth: int = Field(default=100, ge=1)
