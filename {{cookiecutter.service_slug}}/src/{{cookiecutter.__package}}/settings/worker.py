"""Who runs follow-ups: DISPATCH and WORKER."""

from typing import Literal

from . import Mixin


class WorkerSettings(Mixin):
    """Whether follow-ups run inline or by a worker, and where that worker runs."""

    dispatch: Literal["inline", "worker"] = "inline"
    worker: Literal["embedded", "external"] = "embedded"
