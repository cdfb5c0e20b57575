"""Intake: the commands that come in by name, by a queue, an invocation or the command line."""

import json
from decimal import Decimal
from typing import Annotated, Any, Literal

import msgspec
import pytest

from {{ cookiecutter.__package }}.adapters.event_store.memory import MemoryEventStore
from {{ cookiecutter.__package }}.bootstrap import make_bus
from {{ cookiecutter.__package }}.bus import (
    AggregateExists,
    Command,
    CommandHandler,
    Context,
    IdempotencyKeyReused,
    MessageBus,
    Outcome,
    UnitOfWork,
)
from {{ cookiecutter.__package }}.config import Settings
from {{ cookiecutter.__package }}.entrypoints import intake, strict

from ..parcel import events, files
from ..parcel.files import MemoryFileStore
from ..support import counter

CREATE = "CreateParcel"
ID = "parcel_id"
TRACE = "00-68f0a1b20123456789abcdef01234567-53995c3f42cd8ad8-01"
ROUNDED = "a number in it would be rounded: send it as a string"
DOUBLED = "an object in it has two members of one name"
OTHER_TRACE = "00-11111111111111111111111111111111-2222222222222222-00"


class Leaf(msgspec.Struct, tag="leaf"):
    size: int = 0


class Twig(msgspec.Struct, tag="twig", forbid_unknown_fields=True):
    size: int = 0


class Grow(Command):
    """A command with fields of many kinds."""

    id: str = "1"
    parent_id: str | None = None
    colour: Literal["green", "brown"] = "green"
    count: Annotated[int, msgspec.Meta(ge=1)] = 1
    part: Leaf | Twig | None = None
    notes: dict[str, Any] = msgspec.field(default_factory=dict)


class GrowHandler(CommandHandler[Grow]):
    """Nothing happens."""

    def handle(self, command: Grow, uow: UnitOfWork) -> None:
        """Nothing."""


@pytest.fixture
def bus() -> MessageBus:
    """The service's own, in memory."""
    return make_bus(
        Settings(store="memory"),
        store=MemoryEventStore(),
        dependencies={files.FileStore: MemoryFileStore()},
    )


@pytest.fixture
def _grow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(intake.PUBLIC, "Grow", Grow)


def message(**fields: Any) -> intake.Incoming:
    body = {ID: "a", "data": {"x": 1}}
    return intake.parse(json.dumps({"command": CREATE, "body": body} | fields))


def take(bus: MessageBus, taken: intake.Incoming, **options: Any) -> Outcome:
    return intake.take(bus, taken, **{"door": "queue", "actor": "arn:queue", **options})


def context_of(outcome: Outcome) -> Context:
    (recorded,) = outcome.events
    return recorded.context


def history(bus: MessageBus) -> list[str]:
    return [f"{commit.stream_id}@{commit.version}" for commit in bus.store.feed().commits]


def command_in(text: str | bytes) -> Command:
    parsed = intake.parse(text)
    return intake.command_of(parsed.command, parsed.body)


def refused(value: Any) -> str:
    """Why this message is refused; what was sent is not repeated."""
    text = value if isinstance(value, str | bytes) else json.dumps(value)
    with pytest.raises(intake.Refused) as refusal:
        command_in(text)
    assert "hunter2" not in str(refusal.value)
    return str(refusal.value)


def test_a_command_comes_in_by_name_and_what_follows_happens(bus: MessageBus) -> None:
    (recorded,) = take(bus, message()).events
    assert isinstance(recorded.event, events.ParcelCreated)
    assert recorded.event.data == {"x": 1}
    assert len(history(bus)) == 3


def test_only_what_a_service_lists_as_public_comes_in(bus: MessageBus) -> None:
    assert CREATE in intake.PUBLIC
    reason = refused({"command": "ProcessParcel", "body": {ID: "a"}})
    listed = ", ".join(sorted(intake.PUBLIC))
    assert reason == f"there is no such command to send; there is {listed}"
    assert refused({"command": "hunter2", "body": {}}) == reason


def test_the_command_of_any_aggregate_comes_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(intake.PUBLIC, "Open", counter.Open)
    monkeypatch.setitem(intake.PUBLIC, "Add", counter.Add)
    counting = counter.make_bus(MemoryEventStore())
    for name in ("Open", "Add"):
        take(counting, intake.parse(json.dumps({"command": name, "body": {"counter_id": "c"}})))
    assert counting.ask(counter.GetTotal(counter_id="c")) == 1


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "it is not JSON that can be stored"),
        ("hunter2", "it is not JSON that can be stored"),
        (b"\xff", "it is not JSON that can be stored"),
        ("\ud800", "it is not JSON that can be stored"),
        ('{"command": "x", "body": {"hunter2": NaN}}', "it is not JSON that can be stored"),
        ('{"command": "x", "body": {"a": "\\ud800"}}', "it is not JSON that can be stored"),
        ("[" * 100_000, "it is not JSON that can be stored"),
        *(
            ('{"command": "x", "body": {"a": [' + number + "]}}", ROUNDED)
            for number in (
                *("123456789.123456789123", "100000000000000000000.01", "0.10000000000000000555"),
                *("900719925474099.3", "1e-400", "1E-400", "1e400", "1e-99999999999999999999"),
                "4.9406564584124654e-324",
            )
        ),
        *(
            ('{"command": "x", "body": ' + body + "}", DOUBLED)
            for body in (
                '{"a": 1, "a": 1}',
                '{"a": [{"b": {"c": 1, "d": "::", "c": 2}}]}',
                '{"hunter2": 1, "hunter\\u0032": 1}',
                r'{"a": 1, "a": "\u003A"}',
            )
        ),
        ("null", "Expected `object`, got `null`"),
        ('["hunter2"]', "Expected `object`, got `array`"),
        ('{"body": {}}', "Object missing required field `command`"),
        ('{"command": "x"}', "Object missing required field `body`"),
        ('{"command": 5, "body": {}}', "Expected `str`, got `int` - at `$.command`"),
        ('{"command": "x", "body": ["hunter2"]}', "Expected `object`, got `array` - at `$.body`"),
        (
            '{"command": "x", "body": {}, "hunter2": 1, "and": 2}',
            "2 fields are not known; known are command, body, idempotency_key, correlation_id, "
            "traceparent",
        ),
        (
            '{"command": "x", "body": {}, "traceparent": 1}',
            "Expected `str | null`, got `int` - at `$.traceparent`",
        ),
    ],
)
def test_what_is_no_message_is_refused(text: str | bytes, reason: str) -> None:
    assert refused(text) == f"the message: {reason}"


@pytest.mark.parametrize(
    "number",
    [
        *("0.1", "1.10", "1e5", "1E+5", "-0.0", "0e0", "5e-324", "1.7976931348623157e308"),
        *("9007199254740992.0e-1", "123456789012.345", "0.30000000000000004", "1e22"),
        *("9223372036854775808", "-0", "9" * 4300),
    ],
    ids=lambda number: number[:30],
)
def test_a_number_that_is_taken_comes_back_equal(bus: MessageBus, number: str) -> None:
    text = json.dumps({"command": CREATE, "body": {ID: "a", "data": {"n": "N"}}})
    (recorded,) = take(bus, intake.parse(text.replace('"N"', number))).events
    (commit, *_) = bus.store.feed().commits
    (stored,) = json.loads(commit.events, parse_float=Decimal)
    assert stored["data"]["n"] == json.loads(number, parse_float=Decimal)
    assert recorded.event == bus.codecs.recorded(commit)[0].event


def test_members_that_only_look_alike_are_taken() -> None:
    body = r'{"a": {"b": ":", "a": [{"b": "\u003a"}, {"b": "\\u003a"}]}, "b": "a:", "A": {"": ""}}'
    assert intake.parse('{"command": "x", "body": ' + body + "}").body == json.loads(body)


def test_a_message_may_be_as_large_as_a_request_and_no_larger() -> None:
    def of(size: int) -> str:
        empty = json.dumps({"command": CREATE, "body": {ID: "a", "data": {"text": ""}}})
        return empty.replace('"text": ""', f'"text": "{"x" * (size - len(empty))}"')

    assert intake.parse(of(strict.MAX_BODY_BYTES)).command == CREATE
    with pytest.raises(intake.TooLarge, match="larger than 262144 bytes"):
        intake.parse(of(strict.MAX_BODY_BYTES + 1))
    with pytest.raises(intake.TooLarge):  # it is the bytes that count
        intake.parse(of(strict.MAX_BODY_BYTES).replace("xx", "xä"))


def nested(levels: int) -> Any:
    inner: Any = {}
    for _ in range(levels - 1):
        inner = {"hunter2": inner}
    return inner


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({ID: "a"}, f"{CREATE}: Object missing required field `data`"),
        ({ID: 5, "data": {}}, f"{CREATE}: Expected `str`, got `int` - at `$.{ID}`"),
        ({ID: "a", "data": "hunter2"}, f"{CREATE}: Expected `object`, got `str` - at `$.data`"),
        (
            {ID: "a", "data": {}, "hunter2": 1},
            f"{CREATE}: 1 fields are not known; known are {ID}, data",
        ),
        (
            {ID: "a", "data": {}, "$type": "hunter2"},
            f"{CREATE}: 1 fields are not known; known are {ID}, data",
        ),
        ({ID: "a", "data": nested(65)}, f"{CREATE}.data is nested more than 64 levels deep"),
        *(
            ({ID: wrong, "data": {}}, f"{CREATE}.{ID} must match {strict.ID_PATTERN}")
            for wrong in ("", "a b", "-hunter2", "a\n", "a/b", "a" * 129)
        ),
    ],
)
def test_fields_are_as_strict_as_those_of_a_request(fields: Any, reason: str) -> None:
    assert refused({"command": CREATE, "body": fields}) == reason


def test_what_is_just_within_the_bounds_is_taken(bus: MessageBus) -> None:
    take(bus, message(body={ID: "a" * 128, "data": nested(64)}))
    assert len(history(bus)) == 3


@pytest.mark.usefixtures("_grow")
@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"colour": "hunter2"}, "a value is not allowed - at `$.colour`"),
        ({"colour": "hunter2 - at `there`"}, "a value is not allowed - at `$.colour`"),
        ({"part": {"type": "hunter2"}}, "a value is not allowed - at `$.part.type`"),
        ({"part": {"type": "twig", "hunter2": 1}}, "a value is not allowed - at `$.part`"),
        ({"count": 0}, "Expected `int` >= 1 - at `$.count`"),
        (
            {"part": {"type": "leaf", "size": "hunter2"}},
            "Expected `int`, got `str` - at `$.part.size`",
        ),
    ],
)
def test_what_was_sent_is_not_repeated(fields: Any, reason: str) -> None:
    assert refused({"command": "Grow", "body": fields}) == f"Grow: {reason}"


@pytest.mark.usefixtures("_grow")
def test_an_id_is_a_field_by_its_name() -> None:
    for field in ("id", "parent_id"):
        assert refused({"command": "Grow", "body": {field: "a b"}}).startswith(f"Grow.{field} must")
    grown = intake.command_of("Grow", {"parent_id": None, "notes": {"id": "a b"}})
    assert grown == Grow(notes={"id": "a b"})


def test_the_context_says_who_sent_it_and_what_it_is_part_of(bus: MessageBus) -> None:
    taken = take(bus, message(correlation_id="trace-7", traceparent=TRACE), trace=OTHER_TRACE)
    assert context_of(taken) == Context("trace-7", actor="arn:queue", traceparent=TRACE)
    contexts = [commit.context for commit in bus.store.feed().commits]
    assert [(each.actor, each.correlation_id, each.traceparent) for each in contexts] == [
        ("arn:queue", "trace-7", TRACE)
    ] * 3


def test_a_message_without_a_trace_is_part_of_its_doors(bus: MessageBus) -> None:
    assert context_of(take(bus, message(), trace=TRACE)).traceparent == TRACE
    other = message(body={ID: "b", "data": {}})
    assert context_of(take(bus, other)).traceparent is None


def test_an_id_or_a_trace_that_is_none_is_replaced_or_left_out(bus: MessageBus) -> None:
    context = context_of(take(bus, message(correlation_id="a\nb", traceparent="hunter2")))
    assert len(context.correlation_id) == 32
    assert context.traceparent is None


def test_a_message_has_one_effect_under_the_key_of_its_door(bus: MessageBus) -> None:
    first = take(bus, message(), key="m1")
    again = take(bus, message(), key="m1")
    assert (first.replayed, again.replayed) == (False, True)
    assert again.events == first.events
    assert len(history(bus)) == 3


def test_a_message_has_one_effect_under_its_own_key_whatever_the_door_calls_it(
    bus: MessageBus,
) -> None:
    take(bus, message(idempotency_key="k"), key="m1")
    assert take(bus, message(idempotency_key="k"), key="m2").replayed
    assert take(bus, message(idempotency_key="k")).replayed


def test_without_a_key_a_message_is_a_new_one(bus: MessageBus) -> None:
    take(bus, message())
    with pytest.raises(AggregateExists):
        take(bus, message())


def test_a_key_is_of_its_door_its_command_and_its_sender(
    bus: MessageBus, monkeypatch: pytest.MonkeyPatch
) -> None:
    doors: list[dict[str, Any]] = [{}, {"door": "invocation"}, {"actor": "arn:other"}]
    for number, door in enumerate(doors):
        taken = message(body={ID: f"a{number}", "data": {}})
        assert not take(bus, taken, key="k", **door).replayed
    monkeypatch.setitem(intake.PUBLIC, "Open", counter.Open)
    counting = counter.make_bus(bus.store)
    opened = intake.parse(json.dumps({"command": "Open", "body": {"counter_id": "c"}}))
    assert not take(counting, opened, key="k").replayed


def test_a_key_is_of_its_body_in_whatever_order(bus: MessageBus) -> None:
    take(bus, message(), key="k")
    assert take(bus, message(body={"data": {"x": 1}, ID: "a"}), key="k").replayed
    with pytest.raises(IdempotencyKeyReused):
        take(bus, message(body={ID: "a", "data": {"x": 2}}), key="k")


@pytest.mark.parametrize("key", ["", "a b", "ä", "k\n", "k" * 256])
def test_what_is_no_key_is_refused(bus: MessageBus, key: str) -> None:
    with pytest.raises(intake.Refused, match="idempotency_key must match"):
        take(bus, message(idempotency_key=key), key="m1")
    assert history(bus) == []
