"""The HTTP API, as a client meets it: through the whole app, on the store in memory."""

import json
import re
from collections.abc import AsyncIterator, Iterator
from datetime import datetime, timedelta
from typing import Any, get_args

import pytest

from {{ cookiecutter.__package }}.adapters.event_store.memory import MemoryEventStore
from {{ cookiecutter.__package }}.bootstrap import make_bus
from {{ cookiecutter.__package }}.bus import (
    CodecError,
    CommitTooLarge,
    ConcurrencyError,
    DomainError,
    MessageBus,
    RefusalKind,
    StoreUnavailable,
    UnknownEvent,
)
from {{ cookiecutter.__package }}.config import Settings
from {{ cookiecutter.__package }}.entrypoints.api import problems
from {{ cookiecutter.__package }}.entrypoints.api.app import create_app
from {{ cookiecutter.__package }}.service.ports import Unavailable

from ...support.client import Client, client_of
from ..parcel.files import FileStore, MemoryFileStore

PATH = "/parcels"
ID = "parcel_id"
NAME = "Parcel"
SECRET = "hunter2"
JSON = {"Content-Type": "application/json"}
LIMIT = 256 * 1024


@pytest.fixture
def store() -> MemoryEventStore:
    return MemoryEventStore()


@pytest.fixture
def bus(store: MemoryEventStore) -> MessageBus:
    return make_bus(
        Settings(store="memory"),
        store=store,
        dependencies={FileStore: MemoryFileStore()},
    )


@pytest.fixture
def client(bus: MessageBus) -> Iterator[Client]:
    with client_of(create_app(bus)) as client:
        yield client


def assert_problem(response: Any, status: int) -> dict[str, Any]:
    """It is a problem of RFC 9457 with this status, and repeats nothing it should not."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    problem: dict[str, Any] = response.json()
    assert problem["status"] == status
    assert problem["type"]
    assert problem["title"]
    assert problem["detail"]
    assert SECRET not in response.text
    assert "Traceback" not in response.text
    return problem


def nested(levels: int) -> dict[str, Any]:
    """An object of so many levels, itself included, objects and arrays in turn."""
    inner: Any = {}
    for level in range(levels - 1):
        inner = {"in": inner} if level % 2 or level == levels - 2 else [inner]
    return dict(inner)


def test_what_is_created_is_answered_as_of_its_own_commit_whatever_follows(client: Client) -> None:
    created = client.post(PATH, {ID: "a-1", "data": {"x": 1}})

    assert created.status_code == 201
    assert created.headers["location"] == f"{PATH}/a-1"
    assert created.json() == {ID: "a-1", "status": "created", "version": 1}
    assert client.get(created.headers["location"]).json() == {
        ID: "a-1",
        "status": "archived",
        "version": 3,
        "data": {"x": 1},
        "location": "memory:parcels/a-1.json",
    }


def test_without_an_id_the_service_makes_one(client: Client) -> None:
    ids = [client.post(PATH, {"data": {}}).json()[ID] for _ in range(2)]

    assert ids[0] != ids[1]
    assert all(re.fullmatch("[0-9a-f]{32}", each) for each in ids)
    assert client.get(f"{PATH}/{ids[0]}").status_code == 200


def test_what_failed_says_so(client: Client) -> None:
    client.post(PATH, {ID: "a", "data": {"fail": "no paper"}})

    assert client.get(f"{PATH}/a").json()["status"] == "failed"
    last = client.get(f"{PATH}/a/history").json()["events"][-1]
    assert last["data"] == {ID: "a", "reason": "no paper"}


def test_a_history_comes_in_pages(client: Client) -> None:
    client.post(PATH, json={ID: "a", "data": {}})
    whole = client.get(f"{PATH}/a/history").json()
    assert (len(whole["events"]), whole["next"]) == (3, None)
    first = client.get(f"{PATH}/a/history?limit=2").json()
    assert first == {"events": whole["events"][:2], "next": 2}
    rest = client.get(f"{PATH}/a/history?after=2&limit=2").json()
    assert rest == {"events": whole["events"][2:], "next": None}
    for wrong in ("limit=0", "limit=1001", "after=-1", "after=x"):
        assert client.get(f"{PATH}/a/history?{wrong}").status_code == 422


def test_the_history_holds_all_that_happened_in_order(client: Client) -> None:
    client.post(PATH, {ID: "a", "data": {"x": 1}}, headers={"X-Correlation-ID": "trace-7"})

    events = client.get(f"{PATH}/a/history").json()["events"]
    identity = ["type", "event_id", "version", "recorded_at", "causation_id", "correlation_id"]
    assert [list(event) for event in events] == [[*identity, "actor", "data"]] * 3
    happened = ["Created", "Processed", "Archived"]
    assert [event["type"] for event in events] == [f"{NAME}{what}" for what in happened]
    assert [event["version"] for event in events] == [1, 2, 3]
    assert [event["event_id"] for event in events] == [f"{NAME}/a@{n}" for n in (1, 2, 3)]
    assert {event["correlation_id"] for event in events} == {"trace-7"}
    assert len({event["causation_id"] for event in events}) == 3
    moments = [datetime.fromisoformat(event["recorded_at"]) for event in events]
    assert moments == sorted(moments)
    assert {moment.utcoffset() for moment in moments} == {timedelta(0)}
    assert events[0]["data"] == {ID: "a", "data": {"x": 1}}


def test_it_says_that_it_is_alive_and_ready(client: Client) -> None:
    assert client.get("/health").status_code == 200
    assert client.get("/ready").status_code == 200


def test_it_is_alive_but_not_ready_while_the_store_does_not_answer(
    client: Client, store: MemoryEventStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ping() -> None:
        raise StoreUnavailable(f"connection to {SECRET} refused")

    monkeypatch.setattr(store, "ping", ping)

    assert client.get("/health").status_code == 200
    response = client.get("/ready")
    assert_problem(response, 503)
    assert int(response.headers["retry-after"]) > 0


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", f"{PATH}/unknown", 404),
        ("GET", f"{PATH}/unknown/history", 404),
        ("GET", "/nowhere", 404),
        ("GET", "/", 404),
        ("POST", f"{PATH}/", 404),
        ("DELETE", PATH, 405),
        ("PUT", f"{PATH}/a", 405),
        ("POST", "/health", 405),
    ],
)
def test_what_is_not_there_is_a_problem(
    client: Client, method: str, path: str, status: int
) -> None:
    assert_problem(client.request(method, path), status)


def test_what_a_path_does_not_take_is_answered_with_what_it_takes(client: Client) -> None:
    for path, allowed in ((PATH, "GET, POST"), (f"{PATH}/a", "GET"), ("/health", "GET")):
        response = client.request("DELETE", path)
        assert_problem(response, 405)
        assert response.headers["allow"] == allowed


@pytest.mark.parametrize(
    "odd", ["%0A", "a%0A", "%00", "%ff", "%ED%A0%80", "..%2fa", "a%20b", "%C3%A4", "-a", "a" * 129]
)
@pytest.mark.parametrize("below", ["", "/history"])
def test_what_cannot_be_an_id_is_the_id_of_nothing(client: Client, odd: str, below: str) -> None:
    client.post(PATH, {ID: "a", "data": {}})

    assert_problem(client.get(f"{PATH}/{odd}{below}"), 404)


def test_a_taken_id_is_refused(client: Client) -> None:
    client.post(PATH, {ID: "a", "data": {"first": True}})

    assert_problem(client.post(PATH, {ID: "a", "data": {"first": False}}), 409)
    assert client.get(f"{PATH}/a").json()["data"] == {"first": True}


KINDS: dict[str, int] = {
    "conflict": 409,
    "not_found": 404,
    "forbidden": 403,
    "gone": 410,
    "invalid": 422,
    "limited": 429,
}


def refusal(kind: str) -> type[DomainError]:
    """A class of refusals as a service declares it."""
    return type(kind, (DomainError,), {"kind": kind, "__doc__": f"It is {kind}.\n\nMore."})


def test_a_kind_has_one_status() -> None:
    assert set(get_args(RefusalKind)) == set(KINDS)


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (ConcurrencyError("stream"), 409),
        (DomainError("closed on Sundays"), 409),
        *((refusal(kind)("closed on Sundays"), status) for kind, status in KINDS.items()),
        (CommitTooLarge("too large"), 413),
        (CodecError(f"cannot store {SECRET}"), 422),
        (StoreUnavailable(f"connection to {SECRET} refused"), 503),
        (Unavailable(f"{SECRET} does not answer"), 503),
        (UnknownEvent(f"'{SECRET}' is not known here"), 503),
        (RuntimeError(f"a bug that knows {SECRET}"), 500),
        (RecursionError(SECRET), 500),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else str(value),
)
def test_each_error_of_the_bus_has_its_status(
    client: Client,
    bus: MessageBus,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
    status: int,
) -> None:
    def handle(*_args: Any, **_options: Any) -> None:
        raise error

    monkeypatch.setattr(bus, "handle", handle)

    response = client.post(PATH, {"data": {}})
    assert_problem(response, status)
    assert response.headers.get("retry-after") == ("1" if status in (429, 503) else None)


def test_a_refusal_that_passes_says_when_to_try_again(
    client: Client, bus: MessageBus, monkeypatch: pytest.MonkeyPatch
) -> None:
    limited = refusal("limited")("at most ten an hour")

    def handle(*_args: Any, **_options: Any) -> None:
        raise limited

    monkeypatch.setattr(bus, "handle", handle)
    for seconds, header in ((90, "90"), (2.1, "3"), (0, "1")):
        limited.retry_after = seconds
        response = client.post(PATH, {"data": {}})
        assert assert_problem(response, 429)["detail"] == "at most ten an hour"
        assert response.headers["retry-after"] == header


def test_what_is_too_large_to_store_is_refused(client: Client) -> None:
    numbers = b",".join([b"1e15"] * 40_000)  # stored as 1000000000000000.0, four times the size
    body = b'{"data": {"numbers": [' + numbers + b"]}}"
    assert len(body) < LIMIT

    assert_problem(client.post(PATH, content=body, headers=JSON), 413)


HOSTILE = {
    "empty": b"",
    "null": b"null",
    "array": b"[]",
    "string": b'"hunter2"',
    "number": b"1",
    "not JSON": b"hunter2",
    "cut off": b'{"data": {"hunter2": ',
    "with something after it": b'{"data": {}} hunter2',
    "with a byte order mark": b'\xef\xbb\xbf{"data": {}}',
    "in UTF-16": '{"data": {"hunter2": 1}}'.encode("utf-16"),
    "not UTF-8": b'{"data": {"hunter2": "\xff"}}',
    "raw surrogate": b'{"data": {"hunter2": "\xed\xa0\x80"}}',
    "lone surrogate": b'{"data": {"hunter2": "\\ud800"}}',
    "lone surrogate as key": b'{"data": {"\\udfff": "hunter2"}}',
    "NaN": b'{"data": {"hunter2": NaN}}',
    "Infinity": b'{"data": {"hunter2": Infinity}}',
    "-Infinity": b'{"data": {"hunter2": -Infinity}}',
    "too large a number": b'{"data": {"hunter2": 1e999}}',
    "integer of 5000 digits": b'{"data": {"hunter2": ' + b"9" * 5000 + b"}}",
    "a number that would be rounded": b'{"data": {"hunter2": 123456789.123456789123}}',
    "a number that would be zero": b'{"data": {"hunter2": 1e-400}}',
    "two members of one name": b'{"data": {"hunter2": 1, "hunter2": 1}}',
    "two members of one name within": b'{"data": {"hunter2": [{"a": {}, "a": {"b": 1}}]}}',
    "100,000 open brackets": b'{"data": {"hunter2": ' + b"[" * 100_000,
    "100,000 brackets": b'{"data": {"hunter2": ' + b"[" * 100_000 + b"]" * 100_000 + b"}}",
    "50,000 open objects": b'{"hunter2":' * 20_000,
    "65 levels": json.dumps({"data": nested(65)}).encode(),
    "500 levels": json.dumps({"data": nested(500)}).encode(),
    "no data": b"{}",
    "data null": b'{"data": null}',
    "data an array": b'{"data": ["hunter2"]}',
    "data a string": b'{"data": "hunter2"}',
    "an unknown field": b'{"data": {}, "hunter2": 1}',
    "an unknown field of ours": b'{"data": {}, "status": "hunter2"}',
    **{
        f"id {odd!r:.20}": json.dumps({ID: odd, "data": {}}).encode()
        for odd in (
            *("", "-hunter2", ".hunter2", "hunter2/", "hunter2\n", "hunter2 ", "hünter2", "\x00"),
            *("hunter2" * 20, "a" * 129, 5, None, True, ["hunter2"], {"hunter2": 1}),
        )
    },
}


@pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE.keys())
def test_invalid_input_is_refused_without_repeating_any_of_it(
    client: Client, store: MemoryEventStore, body: bytes
) -> None:
    problem = assert_problem(client.post(PATH, content=body, headers=JSON), 422)

    known = {"body", f"body.{ID}", "body.data"}
    assert {error["field"] for error in problem.get("errors", [])} <= known
    assert not store._streams


@pytest.mark.parametrize("content_type", ["text/plain", "application/xml", "hunter2", "\x7f;="])
def test_a_body_that_is_not_said_to_be_json_is_refused(client: Client, content_type: str) -> None:
    body = b'{"data": {"hunter2": 1}}'

    response = client.post(PATH, content=body, headers={"Content-Type": content_type})

    assert_problem(response, 422)


@pytest.mark.parametrize(
    "data",
    [
        b"{}",
        b'{"a": null, "b": true, "c": [], "d": {}}',
        b'{"": "", "\\u0000": "\\u0000\\n\\"", "\\ud83d\\ude00": "\xc3\xa4\xe2\x82\xac"}',
        b'{"$type": "Other", "data": {"$type": 5}, "id": 1, "__class__": "x"}',
        b'{"a": 0.1, "b": -0.0, "c": 1e308, "d": 5e-324, "e": 1.0, "f": -1}',
        b'{"a": 1.10, "b": 1e5, "c": 0.30000000000000004, "d": 1E-7, "e": "\\u003a", "f": ":"}',
        b'{"a": ' + b"9" * 4300 + b', "b": 9223372036854775808, "c": -18446744073709551617}',
        json.dumps(nested(64)).encode(),
    ],
    ids=lambda data: data[:20].decode(),
)
def test_any_json_object_comes_back_as_it_was(client: Client, data: bytes) -> None:
    body = b'{"%s": "a", "data": %s}' % (ID.encode(), data)

    assert client.post(PATH, content=body, headers=JSON).status_code == 201

    sent = json.loads(data)
    assert repr(client.get(f"{PATH}/a").json()["data"]) == repr(sent)
    created = client.get(f"{PATH}/a/history").json()["events"][0]
    assert repr(created["data"]["data"]) == repr(sent)


@pytest.mark.parametrize("new_id", ["a", "A.b_c:d-9", "0", "a" * 128])
def test_any_id_of_the_allowed_shape_is_taken(client: Client, new_id: str) -> None:
    created = client.post(PATH, {ID: new_id, "data": {}})

    assert created.status_code == 201
    assert client.get(created.headers["location"]).json()[ID] == new_id


def test_a_body_of_just_the_limit_is_read(client: Client) -> None:
    body = b'{"data": {}}'.ljust(LIMIT)

    assert client.post(PATH, content=body, headers=JSON).status_code == 201
    assert_problem(client.post(PATH, content=body + b" ", headers=JSON), 413)


def test_a_body_without_a_length_is_limited_too_and_no_longer_read(client: Client) -> None:
    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b" " * 10_000

    response = client.post(PATH, content=endless(), headers=JSON)

    assert_problem(response, 413)
    assert response.headers["connection"] == "close"


def test_a_body_in_pieces_is_put_together(client: Client) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for piece in (b'{"data"', b': {"x', b'": 1}}'):
            yield piece

    created = client.post(PATH, content=pieces(), headers=JSON)

    assert created.status_code == 201
    assert client.get(created.headers["location"]).json()["data"] == {"x": 1}


EACH_KIND_OF_ANSWER = pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/health", b"", 200),
        ("POST", PATH, b'{"data": {}}', 201),
        ("GET", f"{PATH}/unknown", b"", 404),
        ("GET", "/nowhere", b"", 404),
        ("PUT", PATH, b"", 405),
        ("POST", PATH, b"null", 422),
        ("POST", PATH, b" " * (LIMIT + 1), 413),
    ],
)


@EACH_KIND_OF_ANSWER
def test_a_correlation_id_is_given_back(
    client: Client, method: str, path: str, body: bytes, status: int
) -> None:
    for given in ("trace-7", "00-4bf92f-01", "a b=c;d", "x" * 128):
        headers = {**JSON, "X-Correlation-ID": given}
        response = client.request(method, path, content=body, headers=headers)
        assert response.status_code == status
        assert response.headers.get_list("x-correlation-id") == [given]


@EACH_KIND_OF_ANSWER
def test_a_correlation_id_that_is_none_is_replaced(
    client: Client, method: str, path: str, body: bytes, status: int
) -> None:
    for given in (b"", b" ", b"x" * 129, b"\xc3\xa4", b"a\tb", b"a\nb", b"\x1b[31m", b"\x00"):
        headers = [*JSON.items(), (b"X-Correlation-ID", given)]
        response = client.request(method, path, content=body, headers=headers)
        assert response.status_code == status
        assert re.fullmatch("[0-9a-f]{32}", response.headers["x-correlation-id"])


def test_a_failure_gives_its_correlation_id_back_too(
    client: Client, bus: MessageBus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bus, "ask", None)  # what is no function cannot be called

    response = client.get(f"{PATH}/a", headers={"X-Correlation-ID": "trace-7"})

    assert_problem(response, 500)
    assert response.headers["x-correlation-id"] == "trace-7"


def test_every_error_is_documented(client: Client, bus: MessageBus) -> None:
    assert create_app(bus).openapi_schema is None, "made at import or start, it slows both"
    description = client.get("/openapi.json").json()
    one = PATH + "/{" + ID + "}"
    documented = {
        PATH: {
            "get": {"200", "422", "503", "default"},
            "post": {"201", "409", "413", "422", "503", "default"},
        },
        one: {"get": {"200", "404", "503", "default"}},
        f"{one}/history": {"get": {"200", "404", "422", "503", "default"}},
        "/health": {"get": {"200"}},
        "/ready": {"get": {"200", "503", "default"}},
    }

    for path, expected in documented.items():
        routes = description["paths"][path]
        assert {method: set(route["responses"]) for method, route in routes.items()} == expected
    assert "HTTPValidationError" not in json.dumps(description)
    for routes in description["paths"].values():
        for route in routes.values():
            for status, answer in route["responses"].items():
                kind = "application/json" if status < "3" else "application/problem+json"
                assert set(answer["content"]) == {kind}


def test_a_route_documents_an_error_under_the_status_of_its_kind() -> None:
    for kind, status in KINDS.items():
        answers = problems.documented(refusal(kind), 503)
        assert set(answers) == {"default", status, 503}
        assert f"- {kind}: It is {kind}." in answers[status]["description"]
        assert "More" not in answers[status]["description"]
    errors = (CommitTooLarge, CodecError, ConcurrencyError, StoreUnavailable, Unavailable)
    assert list(problems.documented(*errors)) == ["default", 413, 422, 409, 503]
    described = problems.documented(401, 403, 410, 418, 429, refusal("gone"))
    assert described[418]["description"] == "I'm a Teapot"
    assert described[410]["description"].startswith(problems.DESCRIPTIONS[410])


def test_the_description_refers_to_nothing_that_is_not_in_it(client: Client) -> None:
    text = client.get("/openapi.json").text

    schemas = json.loads(text)["components"]["schemas"]
    referred = set(re.findall(r'"#/components/schemas/([^"]+)"', text))
    assert "Problem" in referred
    assert referred <= set(schemas)
