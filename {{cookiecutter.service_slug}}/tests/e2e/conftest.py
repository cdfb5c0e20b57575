"""For tests that run the service in their own process."""

import pytest
import structlog


@pytest.fixture(autouse=True, scope="session")
def _lines_go_to_pytest() -> None:
    """To its own log, shown with what fails; the service itself logs to standard error."""
    structlog.configure(
        processors=[structlog.processors.JSONRenderer(default=repr)],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )
