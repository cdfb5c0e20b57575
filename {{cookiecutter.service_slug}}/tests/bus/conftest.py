"""In the tests of what is vendored, the service is one of parcels."""

from collections.abc import Iterator

import pytest

from .support import parcels


@pytest.fixture(autouse=True, scope="package")
def _parcels() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        parcels.install(patch.setattr)
        yield
