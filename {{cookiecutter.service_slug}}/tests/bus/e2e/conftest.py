"""As for the tests of the service in their own process."""

from ...e2e.conftest import _lines_go_to_pytest

__all__ = ["_lines_go_to_pytest"]
