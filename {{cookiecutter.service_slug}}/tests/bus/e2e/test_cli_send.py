"""A command that is sent from the command line."""

import json
import os
import pwd

import pytest

from {{ cookiecutter.__package }}.bus import MessageBus
from {{ cookiecutter.__package }}.entrypoints import intake

from ..support.command_line import CommandLine, bus, typed

__all__ = ["bus", "typed"]

NAME = "Parcel"
ID = "parcel_id"
CREATE = f"Create{NAME}"
BODY = json.dumps({ID: "a", "data": {"n": 1}})


def test_it_shows_what_was_recorded_and_the_follow_ups_run(typed: CommandLine) -> None:
    sent = typed("send", CREATE, BODY)
    assert (sent.code, sent.err) == (0, "")
    (line,) = sent.out.splitlines()
    assert line.split()[1:4] == [CREATE, "→", f"{NAME}Created"]
    assert line == typed("history", "a").out.splitlines()[0]
    assert json.loads(typed("state", "a").out)["status"] == "archived"


def test_the_actor_is_the_user_of_the_system_whatever_the_environment_says(
    typed: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.setenv(name, "somebody else")
    sent = json.loads(typed("send", CREATE, BODY, "--json", "--correlation-id", "story").out)
    (event,) = sent["events"]
    assert event["actor"] == pwd.getpwuid(os.getuid()).pw_name
    assert event["correlation_id"] == "story"
    shown = json.loads(typed("correlated", "story", "--json").out)["events"]
    assert [each["actor"] for each in shown] == [event["actor"]] * 3


def test_the_fields_are_read_from_standard_input(typed: CommandLine) -> None:
    assert typed("send", CREATE, "-", given=BODY).code == 0
    assert json.loads(typed("state", "a").out)["data"] == {"n": 1}


def test_sent_again_under_its_key_it_has_no_second_effect(typed: CommandLine) -> None:
    first, again = (typed("send", CREATE, BODY, "--key", "k") for _ in range(2))
    assert (first.code, first.err) == (0, "")
    assert (again.code, again.out) == (0, first.out)
    assert "handled before" in again.err
    other = typed("send", CREATE, json.dumps({ID: "b", "data": {}}), "--key", "k")
    assert (other.code, other.out, other.err.count("\n")) == (1, "", 1)


def test_a_command_that_is_not_public_is_refused_by_name(
    typed: CommandLine, bus: MessageBus
) -> None:
    assert f"Process{NAME}" in {each.message_name for each in bus.registry.commands}
    ended = typed("send", f"Process{NAME}", json.dumps({ID: "a"}))
    assert (ended.code, ended.out, ended.err.count("\n")) == (1, "", 1)
    assert f"'Process{NAME}'" in ended.err
    assert all(name in ended.err for name in intake.PUBLIC)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ([CREATE, "{"], "not JSON"),
        ([CREATE, '{"a": NaN}'], "not JSON"),
        ([CREATE, '{"a": "\udcff"}'], "not JSON"),
        ([CREATE, "[]"], "must be an object"),
        ([CREATE, "{}"], ID),
        ([CREATE, json.dumps({ID: "\n", "data": {}})], f"{CREATE}.{ID}"),
        ([CREATE, json.dumps({ID: "a", "data": {}, "x": 1})], "1 fields are not known"),
        ([CREATE, json.dumps({"x": "x" * 256 * 1024})], "larger than 262144 bytes"),
        ([CREATE, BODY, "--key", ""], "--key"),
        ([CREATE, BODY, "--key", "\udcff"], "--key"),
        ([CREATE, BODY, "--correlation-id", "a\nb"], "--correlation-id"),
    ],
)
def test_what_is_refused_is_one_line_and_code_1(
    typed: CommandLine, arguments: list[str], reason: str
) -> None:
    ended = typed("send", *arguments)
    assert (ended.code, ended.out, ended.err.count("\n")) == (1, "", 1)
    assert reason in ended.err
    assert typed("feed", "--all", "--once").out == ""


def test_what_the_business_refuses_is_one_line_and_code_1(typed: CommandLine) -> None:
    typed("send", CREATE, BODY)
    ended = typed("send", CREATE, BODY)
    assert (ended.code, ended.out, ended.err.count("\n")) == (1, "", 1)
    assert "exists already" in ended.err
