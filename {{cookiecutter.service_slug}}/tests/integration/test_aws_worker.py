"""The Lambda function on a schedule, on Postgres: it runs what is due and keeps the read models."""

import importlib
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from {{ cookiecutter.__package }}.bus import Dispatch
from {{ cookiecutter.__package }}.domain.{{ cookiecutter.__aggregate_snake }} import commands
from {{ cookiecutter.__package }}.observability import log
from {{ cookiecutter.__package }}.service.{{ cookiecutter.__aggregate_snake }} import queries

from ..support.postgres import server, template, url

__all__ = ["server", "template", "url"]

PACKAGE = "{{ cookiecutter.__package }}.entrypoints"
KILLED = Dispatch(steps=0, grace=timedelta(0))


def test_the_schedule_completes_what_was_cut_off_and_keeps_the_list(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("STORE", "postgres")
    monkeypatch.setenv("DATABASE_URL", url)
    monkeypatch.setattr(log, "configure", lambda _settings: None)  # of the whole process
    for name in ("aws_lambda", "aws_runtime"):
        sys.modules.pop(f"{PACKAGE}.{name}", None)
    module = importlib.import_module(f"{PACKAGE}.aws_lambda")
    bus = module.bus
    bus.dispatch, given = KILLED, bus.dispatch
    for each in "ab":
        bus.handle(
            commands.Create{{ cookiecutter.__aggregate }}(
                {{ cookiecutter.__aggregate_snake }}_id=each,
                data={},
            )
        )
    bus.dispatch = given

    assert module.worker_handler({"any": "event"}, None)["attempted"] >= 2
    page = bus.ask(queries.Get{{ cookiecutter.__aggregate }}List())
    assert {row.id: row.status for row in page.items} == {"a": "archived", "b": "archived"}
    assert module.worker_handler(None, None) == {"attempted": 0}
    bus.store.close()
