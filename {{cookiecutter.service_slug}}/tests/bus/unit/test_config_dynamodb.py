"""On Lambda, only a store that lasts will do."""

from pathlib import Path

import pytest

from {{ cookiecutter.__package }}.bus import ConfigurationError
from {{ cookiecutter.__package }}.config import load_settings


@pytest.fixture(autouse=True)
def _on_lambda(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("STORE", raising=False)
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "api")


@pytest.mark.parametrize("store", [None, "sqlite", "memory"])
def test_a_store_without_a_lasting_disk_is_refused(
    monkeypatch: pytest.MonkeyPatch, store: str | None
) -> None:
    if store:
        monkeypatch.setenv("STORE", store)
    with pytest.raises(ConfigurationError, match="set STORE=dynamodb"):
        load_settings()


def test_the_table_is_the_store(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STORE", "dynamodb")
    monkeypatch.setenv("DYNAMODB_TABLE", "events")
    settings = load_settings()
    assert (settings.store, settings.dynamodb_table) == ("dynamodb", "events")
