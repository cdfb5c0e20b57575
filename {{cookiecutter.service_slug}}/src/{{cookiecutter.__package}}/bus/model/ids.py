"""Where ids come from."""

import os
from typing import Protocol


class IdSource(Protocol):
    """The port for new ids. A test gives ids that it can predict."""

    def new_id(self) -> str:
        """A fresh id, never given before: at most 64 letters and digits."""
        ...


class RandomIds:
    """128 random bits from the operating system, as 32 hexadecimal digits.

    Each call reads them from the system. So two processes forked from one memory image, or two
    machines restored from one, never give the same id.
    """

    def new_id(self) -> str:
        return os.urandom(16).hex()
