"""{{ cookiecutter.__command }}, as outsiders send it."""

from {{ cookiecutter.__package }}.bootstrap import make_bus
from {{ cookiecutter.__package }}.config import Settings
from {{ cookiecutter.__package }}.domain.{{ cookiecutter.__aggregate_snake }} import commands
from {{ cookiecutter.__package }}.entrypoints import intake
from {{ cookiecutter.__package }}.entrypoints.api.app import create_app

from ..support.client import client_of

ID = "{{ cookiecutter.__aggregate_snake }}_id"
PLACE = "{" + ID + "}"
ENDING = PLACE + "/{{ cookiecutter.__method | replace('_', '-') }}"


def test_its_route_answers_for_one_that_is_not_there() -> None:
    app = create_app(make_bus(Settings(store="memory")))
    paths = [each for each in app.openapi()["paths"] if each.endswith(ENDING)]
    with client_of(app) as client:
        (answer,) = (client.post(path.replace(PLACE, "none"), {}) for path in paths)
    assert answer.status_code == 404


def test_it_may_be_sent_by_name() -> None:
    sent = intake.command_of("{{ cookiecutter.__command }}", {ID: "a"})
    assert sent == commands.{{ cookiecutter.__command }}(
        {{ cookiecutter.__aggregate_snake }}_id="a",
    )
