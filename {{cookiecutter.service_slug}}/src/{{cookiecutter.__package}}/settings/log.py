"""The log: LOG_LEVEL."""

from typing import Literal

from . import Mixin


class LogSettings(Mixin):
    """From which level on a line is written."""

    log_level: Literal["debug", "info", "warning", "error"] = "info"
