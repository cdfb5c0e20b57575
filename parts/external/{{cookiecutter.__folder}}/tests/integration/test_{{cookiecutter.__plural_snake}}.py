"""The {{ cookiecutter.__plural_words }} of another system: whatever it answers, or does not."""

import gzip
import json
from collections.abc import Iterator

import pytest

from {{ cookiecutter.__package }}.adapters import {{ cookiecutter.__plural_snake }} as adapter
from {{ cookiecutter.__package }}.adapters.event_store.memory import MemoryEventStore
from {{ cookiecutter.__package }}.bootstrap import PORTS, make_bus
from {{ cookiecutter.__package }}.bus import (
    Command,
    CommandHandler,
    ConfigurationError,
    UnitOfWork,
    bootstrap,
)
from {{ cookiecutter.__package }}.config import Settings, load_settings
from {{ cookiecutter.__package }}.entrypoints.api.app import create_app
from {{ cookiecutter.__package }}.service.ports import Unavailable
from {{ cookiecutter.__package }}.service.ports import {{ cookiecutter.__plural_snake }} as port

from ..support.client import client_of
from ..support.other_system import Answer, OtherSystem, other_system

Known = port.{{ cookiecutter.__external }}
Repository = port.{{ cookiecutter.__external }}Repository
Http = adapter.Http{{ cookiecutter.__external }}Repository
Memory = adapter.Memory{{ cookiecutter.__external }}Repository

KNOWN = Known(id="a")
FOUND = Answer(200, json.dumps({"id": "a", "of_no_use": [1]}).encode())
PATH = "/api/{{ cookiecutter.external_plural }}"
URL = "{{ cookiecutter.__plural_upper }}_URL"
PACKED = gzip.compress(FOUND.body, mtime=0)
LATER = "Fri, 31 Dec 9999 23:59:59 GMT"
EARLIER = "Thu, 01 Jan 1970 00:00:00 GMT"
NOWHERE = "Fri, 31 Dec 9999 23:59:59 -0000"
WAITS: list[float] = []


@pytest.fixture(scope="module")
def server() -> Iterator[OtherSystem]:
    with other_system() as server:
        yield server


@pytest.fixture
def other(server: OtherSystem) -> OtherSystem:
    """Nobody has asked it anything yet."""
    server.asked.clear()
    server.answers.clear()
    return server


@pytest.fixture
def slept() -> list[float]:
    """How long it was to wait, in seconds; here it does not."""
    WAITS.clear()
    return WAITS


@pytest.fixture(scope="module")
def repository(server: OtherSystem) -> Iterator[Http]:
    repository = Http(server.url, 30, WAITS.append)
    yield repository
    repository.close()


@pytest.fixture(scope="module")
def hasty(server: OtherSystem) -> Iterator[Http]:
    """For what never comes."""
    repository = Http(server.url, 0.2)
    yield repository
    repository.close()


def settings(monkeypatch: pytest.MonkeyPatch, url: str) -> Settings:
    monkeypatch.setenv("STORE", "memory")
    monkeypatch.setenv(URL, url)
    return load_settings()


# What both of them do


@pytest.fixture(params=["memory", "http"])
def either(
    request: pytest.FixtureRequest,
    other: OtherSystem,
    repository: Repository,
) -> Repository:
    if request.param == "memory":
        return Memory(KNOWN)
    other.answers = [FOUND, Answer(404, b"no such thing")]
    return repository


def test_who_is_known_is_found_and_nobody_else(
    either: Repository,
) -> None:
    assert either.get("a") == KNOWN
    assert either.get("b") is None


@pytest.mark.parametrize("key", ["", ".", ".."])
def test_what_is_no_id_is_the_id_of_nobody(
    either: Repository, other: OtherSystem, key: str
) -> None:
    assert either.get(key) is None
    assert other.asked == []


# Over HTTP


def test_what_fits_no_url_is_not_asked_for(other: OtherSystem, repository: Repository) -> None:
    with pytest.raises(Unavailable, match="did not answer: InvalidURL"):
        repository.get("a" * 70_000)
    assert other.asked == []


def test_an_id_is_one_segment_of_the_path(other: OtherSystem, repository: Repository) -> None:
    other.answers = [FOUND]
    assert repository.get("a/../b?c#d%2F é") == KNOWN
    assert other.asked == [f"{PATH}/a%2F..%2Fb%3Fc%23d%252F%20%C3%A9"]


@pytest.mark.parametrize(
    "answer", [Answer(200, hangs=True), FOUND._replace(drips=True)], ids=["silent", "endless"]
)
def test_a_time_out_is_final(other: OtherSystem, hasty: Repository, answer: Answer) -> None:
    other.answers = [answer]
    with pytest.raises(Unavailable, match="did not answer: ReadTimeout"):
        hasty.get("a")
    assert len(other.asked) <= 1


@pytest.mark.parametrize("status", [None, 429, 502, 503, 504])
def test_what_passes_is_tried_again(
    other: OtherSystem,
    repository: Repository,
    slept: list[float],
    status: int | None,
) -> None:
    other.answers = [Answer(status), Answer(status), FOUND]
    assert repository.get("a") == KNOWN
    assert other.asked == [f"{PATH}/a"] * 3
    first, second = slept
    assert 0 < first <= 0.1 <= second <= 0.2


@pytest.mark.parametrize("status", [None, 429, 502, 503, 504])
def test_the_third_failure_is_the_last(
    other: OtherSystem,
    repository: Repository,
    slept: list[float],
    status: int | None,
) -> None:
    other.answers = [Answer(status)]
    with pytest.raises(Unavailable):
        repository.get("a")
    assert (len(other.asked), len(slept)) == (3, 2)


def test_nobody_is_there(slept: list[float]) -> None:
    with other_system() as gone:
        pass
    repository = Http(gone.url, 30, slept.append)
    with pytest.raises(Unavailable, match="cannot be reached"):
        repository.get("a")
    assert len(slept) == 2
    repository.close()


@pytest.mark.parametrize(
    ("header", "waits"),
    [("1", True), ("2", True), ("3", False), (LATER, False), ("9" * 999, False)],
)
def test_it_waits_as_long_as_it_is_asked_to_or_gives_up(
    other: OtherSystem,
    repository: Repository,
    slept: list[float],
    header: str,
    waits: bool,
) -> None:
    other.answers = [Answer(429, headers={"Retry-After": header}), FOUND]
    if waits:
        assert repository.get("a") == KNOWN
        assert slept == [float(header)]
    else:
        with pytest.raises(Unavailable, match="answered 429"):
            repository.get("a")
        assert slept == []


@pytest.mark.parametrize("header", [EARLIER, NOWHERE, "soon", "-1", "1.5", "0", ""])
def test_any_other_retry_after_changes_nothing(
    other: OtherSystem,
    repository: Repository,
    slept: list[float],
    header: str,
) -> None:
    other.answers = [Answer(503, headers={"Retry-After": header}), FOUND]
    assert repository.get("a") == KNOWN
    assert 0 < slept[0] <= 0.1


@pytest.mark.parametrize("status", [204, 302, 400, 401, 403, 410, 500, 501])
def test_any_other_status_is_final(other: OtherSystem, repository: Repository, status: int) -> None:
    other.answers = [Answer(status, headers={"Location": other.url})]
    with pytest.raises(Unavailable, match=f"answered {status}"):
        repository.get("a")
    assert len(other.asked) == 1


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"{}", b"[]", b'{"id": 7}', b'{"id": "\xff"}', PACKED]
)
def test_what_is_not_understood_is_no_answer(
    other: OtherSystem, repository: Repository, body: bytes
) -> None:
    other.answers = [Answer(200, body, {"Content-Encoding": "gzip"} if body is PACKED else {})]
    with pytest.raises(Unavailable, match="not understood") as refused:
        repository.get("a")
    assert len(other.asked) == 1
    assert refused.value.__cause__ is None  # which would show what came


def test_it_asks_for_plain_json(other: OtherSystem, repository: Repository) -> None:
    """Whose size is known before it is unpacked."""
    other.answers = [FOUND]
    repository.get("a")
    assert other.headers["Accept"] == "application/json"
    assert other.headers["Accept-Encoding"] == "identity"


def test_what_is_too_large_is_no_answer(other: OtherSystem, repository: Repository) -> None:
    padded = FOUND.body + b" " * (adapter.MAX_BYTES - len(FOUND.body))
    other.answers = [FOUND._replace(body=padded), FOUND._replace(body=padded + b" ")]
    assert repository.get("a") == KNOWN
    with pytest.raises(Unavailable, match="more than"):
        repository.get("a")


# In the service


class Greet(Command):
    key: str


def test_a_command_handler_is_given_it_by_its_type() -> None:
    greeted: list[Known | None] = []

    class GreetHandler(CommandHandler[Greet]):
        def __init__(self, known: Repository) -> None:
            self._known = known

        def handle(self, command: Greet, uow: UnitOfWork) -> None:
            greeted.append(self._known.get(command.key))

    known = Memory(KNOWN)
    bus = bootstrap(
        commands=[(Greet, GreetHandler)],
        store=MemoryEventStore(),
        dependencies={Repository: known},
    )
    bus.handle(Greet(key="a"))
    assert greeted == [KNOWN]


def test_the_service_asks_whom_the_environment_names(
    other: OtherSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_port = dict(PORTS)[Repository]
    opened = open_port(settings(monkeypatch, other.url))
    other.answers = [FOUND]
    assert opened.get("a") == KNOWN
    opened.close()


def test_a_client_is_told_to_come_back(other: OtherSystem, repository: Repository) -> None:
    app = create_app(make_bus(Settings(store="memory")))
    app.get("/known")(lambda: repository.get("a"))
    other.answers = [Answer(500, b"hunter2")]
    with client_of(app) as client:
        response = client.get("/known")
    assert (response.status_code, response.json()["status"]) == (503, 503)
    assert int(response.headers["Retry-After"]) > 0
    assert "hunter2" not in response.text
    assert other.url not in response.text


@pytest.mark.parametrize("url", ["nonsense", "ftp://x", "http://x:port", "https://x\x01"])
def test_a_wrong_url_stops_the_start_with_one_line(
    monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    with pytest.raises(ConfigurationError, match=f"^{URL}: .+$"):
        make_bus(settings(monkeypatch, url))


def test_without_a_url_the_service_starts_and_says_so_when_it_is_needed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    opened = adapter.open_{{ cookiecutter.__plural_snake }}(settings(monkeypatch, ""))
    with pytest.raises(Unavailable, match=f"{URL} is not set"):
        opened.get("a")
