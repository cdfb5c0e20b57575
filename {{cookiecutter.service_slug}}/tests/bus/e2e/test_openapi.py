"""Whatever the OpenAPI document allows or forbids: every answer is one that it describes."""

from typing import Any

import pytest
import schemathesis
from hypothesis import settings
from schemathesis.specs.openapi.checks import positive_data_acceptance

from {{ cookiecutter.__package }}.bootstrap import make_bus
from {{ cookiecutter.__package }}.config import Settings
from {{ cookiecutter.__package }}.entrypoints.api.app import create_app

from ..support import parcels

UNCHECKED = [
    positive_data_acceptance,  # a cursor is any text to the document, and here one that was given
]

with pytest.MonkeyPatch.context() as patch:  # the tests are made while they are collected
    parcels.install(patch.setattr)
    app = create_app(make_bus(Settings(store="memory")))
described = schemathesis.openapi.from_asgi("/openapi.json", app)


@pytest.mark.slow
@described.parametrize()
@settings(max_examples=50)
def test_every_answer_is_one_that_is_described(case: Any) -> None:
    case.call_and_validate(excluded_checks=UNCHECKED)
