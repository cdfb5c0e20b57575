"""Who runs the commands that follow: DISPATCH and WORKER."""

from typing import Literal

from . import Mixin


class WorkerSettings(Mixin):
    """Inline or by a worker, and where that worker runs."""

    dispatch: Literal["inline", "worker"] = "inline"
    worker: Literal["embedded", "external"] = "embedded"
