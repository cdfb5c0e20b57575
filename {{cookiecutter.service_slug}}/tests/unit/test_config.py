"""The environment: defaults, and one clear line for what is wrong."""

from importlib import import_module
from pathlib import Path

import pytest

import {{ cookiecutter.__package }}
from {{ cookiecutter.__package }}.bus import ConfigurationError
from {{ cookiecutter.__package }}.config import CHECKS, Settings, load_settings

SUBJECTS = Path({{ cookiecutter.__package }}.__file__).parent / "settings"


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.mark.parametrize("subject", sorted(path.stem for path in SUBJECTS.glob("[!_]*.py")))
def test_what_a_module_of_settings_holds_is_listed(subject: str) -> None:
    module = import_module(f"{{ cookiecutter.__package }}.settings.{subject}")
    for name, held in vars(module).items():
        if isinstance(held, type) and held.__module__ == module.__name__:
            assert issubclass(Settings, held)
            assert set(held.__annotations__) <= set(Settings.model_fields)
        elif name == "check":
            assert held in CHECKS


def test_without_any_variable_it_runs_on_the_embedded_store() -> None:
    settings = load_settings()
    assert (settings.store, settings.sqlite_path) == (
        "sqlite",
        Path("var/{{ cookiecutter.service_slug }}.db"),
    )
    assert (settings.host, settings.port, settings.worker) == ("127.0.0.1", 8000, "embedded")


def test_variables_and_a_dotenv_file_are_read(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / ".env").write_text("PORT=9000\nLOG_LEVEL=debug\nOF_SOMETHING_ELSE=1\n")
    monkeypatch.setenv("LOG_LEVEL", "error")
    monkeypatch.setenv("STORE", "")
    settings = load_settings()
    assert (settings.port, settings.log_level, settings.store) == (9000, "error", "sqlite")


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("STORE", "oracle", "STORE: .*'sqlite'"),
        ("PORT", "eighty", "PORT: .*integer"),
        ("PORT", "70000", "PORT: .*65535"),
        ("LOG_LEVEL", "loud", "LOG_LEVEL: .*'info'"),
        ("DISPATCH", "later", "DISPATCH: .*'inline'"),
        ("WORKER", "none", "WORKER: .*'embedded'"),
    ],
)
def test_a_wrong_value_is_one_line_that_names_it_and_does_not_repeat_it(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, reason: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationError, match=reason) as refused:
        load_settings()
    assert "\n" not in str(refused.value)
    assert value not in str(refused.value)


def test_a_worker_elsewhere_cannot_see_a_store_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STORE", "memory")
    monkeypatch.setenv("WORKER", "external")
    with pytest.raises(ConfigurationError, match="WORKER=external cannot see STORE=memory"):
        load_settings()
