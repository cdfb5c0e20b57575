"""What `support/permissions.py` says of the bus is what it calls, and no more."""

from collections.abc import Iterator

import pytest

from ...support import permissions
from ...support.permissions import Deployed

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    with permissions.deployed(tmp_path_factory.mktemp("service")) as service:
        yield service


@pytest.mark.parametrize("function", permissions.DRIVEN)
def test_each_function_calls_what_the_bus_needs(service: Deployed, function: str) -> None:
    service.calls.clear()
    permissions.DRIVEN[function](service)
    assert service.calls == permissions.OF_THE_BUS[function]
