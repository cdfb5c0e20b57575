"""Each Lambda function may do what it does, and no more: its role in template.yaml and its calls.

Every route, handler and read model of this service is tried, also those that are added later.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from ..support import permissions
from ..support.permissions import Calls, Deployed

TEMPLATE = Path(__file__).parents[2] / "template.yaml"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    with permissions.deployed(tmp_path_factory.mktemp("service"), bucket="archive") as service:
        yield service


def resources() -> dict[str, Any]:
    """What template.yaml deploys, references as their text."""
    loader: Any = type("Loader", (yaml.SafeLoader,), {})
    loader.add_multi_constructor("!", lambda _loader, _tag, node: node.value)
    deployed: dict[str, Any] = yaml.load(TEMPLATE.read_text(), Loader=loader)["Resources"]
    return deployed


def granted(function: str) -> Calls:
    """What the role of this function may do with the table and the files."""
    (policy,) = resources()[f"{function}Role"]["Properties"]["Policies"]
    grants: Calls = set()
    for statement in policy["PolicyDocument"]["Statement"]:
        on = statement["Resource"].removeprefix("${").replace(".Arn", "").replace("}", "")
        if on.startswith(("Table", "Files")) and on != "Table.StreamArn":
            grants |= {(action, on.removesuffix("/*")) for action in statement["Action"]}
    return grants


@pytest.mark.parametrize("function", permissions.DRIVEN)
def test_a_function_may_do_what_it_does_and_no_more(service: Deployed, function: str) -> None:
    service.calls.clear()
    permissions.DRIVEN[function](service)
    assert service.calls | permissions.OF_THE_BUS[function] == granted(function)


def test_operators_may_do_all_of_it(service: Deployed) -> None:
    """What the functions do, each in its test above, and what else there is to do."""
    service.calls.clear()
    permissions.operators(service)
    calls = service.calls.union(*map(granted, permissions.DRIVEN))
    statements = resources()["Operators"]["Properties"]["PolicyDocument"]["Statement"]
    allowed = {action for statement in statements for action in statement["Action"]}
    assert {action for action, _ in calls} == allowed
