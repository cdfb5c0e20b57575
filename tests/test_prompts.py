"""Bad answers are refused where they are given, in one line; good ones make good names."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest
from cookiecutter.exceptions import FailedHookException

from answers import RULES

from . import history
from .support import (
    COMBINATIONS,
    ENVIRONMENT,
    LEFT_BY_TOOLS,
    PROMPTS,
    TEMPLATE,
    BakedProject,
    bake,
    own_config,
)

HOSTILE = [
    ("service_name", "", "is empty"),
    ("service_name", "   ", "must be letters and digits"),
    ("service_name", "../../etc", "must be letters and digits"),
    ("service_name", 'Order "Service"', "must be letters and digits"),
    ("service_name", "Order's", "must be letters and digits"),
    ("service_name", "Order\nService", "holds a control character"),
    ("service_name", "Order\x1b[31m", "holds a control character"),
    ("service_name", "1st Service", "must be letters and digits"),
    ("service_name", "x" * 61, "has 61 characters, and 60 are the limit"),
    ("service_slug", "", "is empty"),
    ("service_slug", "Order-Service", "must be lowercase"),
    ("service_slug", "order_service", "must be lowercase"),
    ("service_slug", "order--service", "must be lowercase"),
    ("service_slug", "order service", "must be lowercase"),
    ("service_slug", "../order", "must be lowercase"),
    ("service_slug", "/tmp/order", "must be lowercase"),
    ("service_slug", ".", "must be lowercase"),
    ("service_slug", "order;ls", "must be lowercase"),
    ("service_slug", "commandé", "must be lowercase"),
    ("service_slug", "2nd-order", "must be lowercase"),
    ("service_slug", "a" * 41, "has 41 characters, and 40 are the limit"),
    ("service_slug", "class", "Python keyword"),
    ("service_slug", "json", "standard library"),
    ("service_slug", "compression", "standard library"),
    ("service_slug", "distutils", "standard library"),
    ("service_slug", "fastapi", "hides one that the service needs"),
    ("service_slug", "pydantic-settings", "hides one that the service needs"),
    ("service_slug", "tests", "hides one that the service needs"),
    ("service_slug", "src", "hides one that the service needs"),
    ("service_slug", "python", "hides one that the service needs"),
    ("aggregate_name", "", "is empty"),
    ("aggregate_name", "Purchase-Order", "must be letters and digits"),
    ("aggregate_name", "purchase_order", "must be letters and digits"),
    ("aggregate_name", "Purchase  Order", "must be letters and digits"),
    ("aggregate_name", " Order", "must be letters and digits"),
    ("aggregate_name", "Commandé", "must be letters and digits"),
    ("aggregate_name", "Order'", "must be letters and digits"),
    ("aggregate_name", "Order\n", "holds a control character"),
    ("aggregate_name", "2Order", "must be letters and digits"),
    ("aggregate_name", "x" * 25, "has 25 characters, and 24 are the limit"),
    ("aggregate_name", "Class", "Python keyword"),
    ("aggregate_name", "None", "Python keyword"),
    ("aggregate_name", "Match", "Python keyword"),
    ("aggregate_name", "List", "one of Python's own"),
    ("aggregate_name", "Exception", "one of Python's own"),
    ("aggregate_name", "Event", "uses for something else"),
    ("aggregate_name", "Aggregate", "uses for something else"),
    ("aggregate_name", "Unit Of Work", "uses for something else"),
    ("aggregate_plural", "", "is empty"),
    ("aggregate_plural", "Orders", "must be lowercase"),
    ("aggregate_plural", "my_orders", "must be lowercase"),
    ("aggregate_plural", "orders/all", "must be lowercase"),
    ("aggregate_plural", "openapi.json", "must be lowercase"),
    ("aggregate_plural", "x" * 33, "has 33 characters, and 32 are the limit"),
    ("aggregate_plural", "order", "is the singular as well"),
    ("aggregate_plural", "health", "uses for something else"),
    ("aggregate_plural", "ready", "uses for something else"),
    ("aggregate_plural", "docs", "uses for something else"),
    ("aggregate_plural", "events", "uses for something else"),
    ("aggregate_plural", "import", "Python keyword"),
    ("description", "", "is empty"),
    ("description", "two\nlines", "holds a control character"),
    ("description", "nul\0", "holds a control character"),
    ("description", "\u202edesrever", "holds a control character"),
    ("description", " padded ", "must be one line of text"),
    ("description", "x" * 201, "has 201 characters, and 200 are the limit"),
    ("author_name", "", "is empty"),
    ("author_name", "Bob\r", "holds a control character"),
    ("author_name", "x" * 101, "has 101 characters, and 100 are the limit"),
    ("platform", "", "is empty"),
    ("platform", "Lambda", "must be lambda or server"),
    ("platform", "moon", "must be lambda or server"),
    ("features", "", "is empty"),
    ("features", "kubernets", "must be none, or some of kubernetes, quality, with commas between"),
    ("features", "kubernetes,", "must be none, or some of"),
    ("features", "kubernetes quality", "must be none, or some of"),
    ("features", "none,quality", "must be none, or some of"),
]


@pytest.mark.parametrize(("prompt", "answer", "reason"), HOSTILE)
def test_a_hostile_answer_is_refused_with_a_valid_example_and_leaves_nothing_behind(
    tmp_path: Path, prompt: str, answer: str, reason: str
) -> None:
    with pytest.raises(FailedHookException) as refusal:
        bake(tmp_path, **{prompt: answer})

    assert refusal.typename == "InvalidAnswer"
    message = str(refusal.value)
    assert message.startswith(f"{prompt} ")
    assert reason in message
    assert message.endswith(f"A valid example: {RULES[prompt].example}")
    assert len(message.splitlines()) == 1
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("answers", "refusal"),
    [
        (
            {"store": "sqlite", "platform": "lambda"},
            "platform 'lambda' is refused: it has no lasting disk",
        ),
        ({"store": "sqlite", "auth": "jwt"}, "auth 'jwt' is refused: it is API Gateway's doing"),
        (
            {"platform": "server", "auth": "iam"},
            "auth 'iam' is refused: it is API Gateway's doing",
        ),
        (
            {"features": "kubernetes"},
            "features 'kubernetes' is refused: it has kubernetes, which runs containers",
        ),
        (
            {"store": "sqlite", "features": "quality, kubernetes"},
            "features 'quality, kubernetes' is refused: it has kubernetes, which would move the"
            " service about",
        ),
    ],
)
def test_what_does_not_go_together_is_refused_with_the_reason(
    tmp_path: Path, answers: dict[str, str], refusal: str
) -> None:
    with pytest.raises(FailedHookException, match=refusal):
        bake(tmp_path, **answers)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("prompt", RULES)
def test_the_valid_example_of_a_refusal_is_valid(tmp_path: Path, prompt: str) -> None:
    plural = {} if prompt != "aggregate_name" else {"aggregate_plural": "purchases"}
    assert bake(tmp_path, **{prompt: RULES[prompt].example}, **plural).path.is_dir()


def test_features_are_the_same_in_any_order_and_case(
    tmp_path: Path, baked: dict[str, BakedProject]
) -> None:
    answers = COMBINATIONS["zebra"]
    assert answers["features"] == "Kubernetes , Quality"
    again = bake(tmp_path, **{**answers, "features": "quality,kubernetes,quality"})
    assert again.contents() == baked["zebra"].contents()
    assert {"tests/load/locustfile.py", "deploy/kubernetes/base/api.yaml"} <= again.files


def test_a_bad_choice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="the choices are"):
        bake(tmp_path, store="floppy")
    assert not (tmp_path / "out").exists()


def test_a_refusal_on_the_command_line_is_one_line_and_no_traceback(tmp_path: Path) -> None:
    outcome = cookiecutter_command(tmp_path, "--no-input", answers=["service_slug=import"])

    assert outcome.returncode == 1
    assert outcome.stdout + outcome.stderr == (
        "service_slug 'import' is refused: it makes the package 'import', which is a Python"
        " keyword. A valid example: order-service\n"
    )
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("given", "known"),
    [
        ("agregate_name", "aggregate_name"),
        ("colour", ", ".join(name for name in PROMPTS if not name.startswith("_"))),
    ],
)
def test_a_prompt_that_there_is_not_is_refused_on_the_command_line(
    tmp_path: Path, given: str, known: str
) -> None:
    outcome = cookiecutter_command(tmp_path, "--no-input", answers=[f"{given}=Parcel"])

    assert outcome.returncode == 1
    said = f"{given} is refused: there is no such prompt, but {known}\n"
    assert outcome.stdout + outcome.stderr == said
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("__package=evil", "__package 'evil' is refused: it is derived, as 'order_service'"),
        ("__aggregate=Evil", "__aggregate 'Evil' is refused: it is derived, as 'Order'"),
        ("__plural_words=evil", "__plural_words 'evil' is refused: it is derived, as 'orders'"),
    ],
)
def test_a_private_variable_given_by_hand_is_refused(
    tmp_path: Path, answer: str, reason: str
) -> None:
    name, value = answer.split("=")
    with pytest.raises(FailedHookException) as refusal:
        bake(tmp_path, **{name: value})

    assert str(refusal.value).startswith(reason)
    assert not (tmp_path / "out").exists()


def test_a_bad_answer_of_a_replay_file_is_refused_before_a_file_is_written(tmp_path: Path) -> None:
    made = bake(tmp_path)
    (made.path / "LICENSE").write_text("mine")
    (replay,) = (tmp_path / "replay").iterdir()
    context = json.loads(replay.read_text())
    context["cookiecutter"]["author_name"] = "two\nlines"
    replay.write_text(json.dumps(context))

    outcome = cookiecutter_command(tmp_path, "--replay-file", str(replay), "--overwrite-if-exists")

    assert outcome.returncode == 1
    assert outcome.stdout.startswith(
        "author_name 'two\\nlines' is refused: it holds a control character"
    )
    assert len((outcome.stdout + outcome.stderr).splitlines()) == 1
    assert (made.path / "LICENSE").read_text() == "mine"


@pytest.mark.parametrize(
    ("name", "snake", "words", "plural"),
    [
        ("Order", "order", "order", "orders"),
        ("order", "order", "order", "orders"),
        ("Purchase Order", "purchase_order", "purchase order", "purchase-orders"),
        ("PurchaseOrder", "purchase_order", "purchase order", "purchase-orders"),
        ("HTTPCall", "http_call", "http call", "http-calls"),
        ("Category", "category", "category", "categories"),
        ("Day", "day", "day", "days"),
        ("Box", "box", "box", "boxes"),
        ("Branch", "branch", "branch", "branches"),
        ("Address", "address", "address", "addresses"),
    ],
)
def test_the_names_of_the_code_are_derived_from_the_answers(
    tmp_path: Path, name: str, snake: str, words: str, plural: str
) -> None:
    bake(tmp_path, aggregate_name=name)
    (replay,) = (tmp_path / "replay").iterdir()
    derived = json.loads(replay.read_text())["cookiecutter"]

    assert derived["__aggregate_snake"] == snake
    assert derived["__aggregate_words"] == words
    assert derived["aggregate_plural"] == plural
    assert derived["__aggregate"].isidentifier()
    assert derived["__aggregate"][0].isupper()


def test_a_person_at_a_terminal_is_told_at_once_and_asked_again(tmp_path: Path) -> None:
    accepted = converse(
        tmp_path,
        [
            ("Name of the service", "1st Service"),
            ("service_name '1st Service' is refused: .*service_name", "Parcel Service"),
            (r"Name of its folder.*\(parcel-service\)", "Parcel Service"),
            ("service_slug 'Parcel Service' is refused: .*service_slug", "json"),
            (r"service_slug 'json' is refused: .*service_slug \(parcel-service\)", ""),
            ("The thing the service is about", "Event"),
            ("aggregate_name 'Event' is refused: .*aggregate_name", "Parcel"),
            (r"Its plural.*\(parcels\)", ""),
            (r"What the service does.*\(Takes parcels,", ""),
            ("Who owns it", "Zoë"),
            ("Choose from", "9"),
            ("Please select one of the available options", "2"),
            (r"Where it runs.*\(server\)", "lamda"),
            ("platform 'lamda' is refused: .*platform", "lambda"),
            ("Licence of the code", "3"),
            ("Python version", "2"),
            ("Who may call", "3"),
            ("What else it has", "?"),
            (r"features '\?' is refused: .*features", "Quality"),
        ],
    )
    recorded = (TEMPLATE / "tests/terminal_session.txt").read_text()
    assert (
        accepted.shown.split() == recorded.split()
    )  # where lines break is the terminal's business
    refusals = [line for line in accepted.shown.splitlines() if "is refused" in line]
    assert len(refusals) == 6
    assert accepted.returncode == 0
    service = tmp_path / "out" / "parcel-service"  # by Enter: the default, after refusals
    assert "Zoë" in (service / "LICENSE").read_text()
    assert 'python-version: "3.13"' in (service / ".github/workflows/test.yml").read_text()
    assert not list(service.rglob("*dynamodb*"))
    assert (service / "tests/load/locustfile.py").is_file()
    assert "JwtIssuer" in (service / "template.yaml").read_text()


def test_at_a_terminal_a_choice_that_makes_no_sense_is_asked_for_again(tmp_path: Path) -> None:
    turns = [("Name of the service", ""), ("Name of its folder", ""), ("The thing", "")]
    turns += [("Its plural", ""), ("What the service does", ""), ("Who owns it", "")]
    turns += [("Where the events are kept", "3"), ("Where it runs", "lambda")]
    turns += [("platform 'lambda' is refused: .*platform", "server")]
    turns += [("Licence", ""), ("Python version", "")]
    turns += [("Who may call", "3"), ("auth 'jwt' is refused: .*auth", "none")]
    turns += [
        ("What else", "kubernetes"),
        ("features 'kubernetes' is refused: .*features", "quality"),
    ]
    accepted = converse(tmp_path, turns)
    assert accepted.returncode == 0
    service = tmp_path / "out" / "order-service"
    assert not (service / "deploy").exists()
    assert (service / "tests/load/locustfile.py").exists()


def test_who_is_not_to_be_asked_is_not_asked_at_a_terminal_either(tmp_path: Path) -> None:
    refused = converse(tmp_path, [], "--no-input", "service_slug=import")
    assert refused.returncode == 1
    assert len(refused.shown.splitlines()) == 1
    assert "service_slug 'import' is refused" in refused.shown


def test_cruft_asks_again_as_well_and_refuses_in_one_line(tmp_path: Path) -> None:
    template = tmp_path / "template"
    shutil.copytree(TEMPLATE, template, ignore=shutil.ignore_patterns(*LEFT_BY_TOOLS))
    history.git(template, "init", "--quiet")
    history.commit(template, "Template")
    create = (ENVIRONMENT / "cruft", "create", template)
    turns = [("Name of the service", "1st"), ("'1st' is refused: .*service_name", "\x04")]
    asked = converse(tmp_path, turns, command=create)
    assert asked.shown.splitlines()[-1].strip() == "Aborted."
    given = ("--no-input", "--extra-context", '{"service_slug": "import"}')
    refused = converse(tmp_path, [], *given, command=create)
    assert refused.returncode == 1
    assert "service_slug 'import' is refused" in refused.shown
    assert "Traceback" not in refused.shown
    assert not (tmp_path / "out").exists()


def test_somebody_who_leaves_leaves_nothing_behind(tmp_path: Path) -> None:
    left = converse(tmp_path, [("Name of the service", "1st"), ("service_name", "\x04")])
    assert left.returncode == 1
    assert left.shown.splitlines()[-1].strip() == "Aborted!"
    assert not (tmp_path / "out").exists()


def cookiecutter_command(
    folder: Path, *options: str, answers: list[str] | None = None
) -> subprocess.CompletedProcess[str]:
    command = [str(ENVIRONMENT / "cookiecutter"), str(TEMPLATE), *(answers or []), *options]
    command += [f"--config-file={own_config(folder)}", f"--output-dir={folder / 'out'}"]
    return subprocess.run(command, capture_output=True, text=True, check=False)


class Conversation:
    def __init__(self, returncode: int, shown: str) -> None:
        self.returncode = returncode
        self.shown = shown


def converse(
    folder: Path, turns: list[tuple[str, str]], *answers: str, command: Sequence[str | Path] = ()
) -> Conversation:
    """Runs cookiecutter, or another command, on a pseudo-terminal: waits for each question, then types the answer."""
    here, there = pty.openpty()
    process = subprocess.Popen(
        [
            *(command or (ENVIRONMENT / "cookiecutter", TEMPLATE)),
            *answers,
            f"--config-file={own_config(folder)}",
            f"--output-dir={folder / 'out'}",
        ],
        stdin=there,
        stdout=there,
        stderr=there,
        env=os.environ | {"TERM": "dumb", "COLUMNS": "200"},
    )
    os.close(there)
    shown, answered = "", 0
    while True:
        if not select.select([here], [], [], 30)[0]:
            process.kill()
            process.wait()
            pytest.fail(f"waits for an answer to a question that nobody expected\n{shown}")
        try:
            received = os.read(here, 4096)
        except OSError:  # Linux reports the end of a pseudo-terminal so
            received = b""
        if not received:
            break
        shown += received.decode(errors="replace")
        if turns and re.search(turns[0][0] + r".*: $", shown[answered:], re.DOTALL):
            answered = len(shown)
            os.write(here, turns.pop(0)[1].encode() + b"\n")
    os.close(here)
    code = process.wait(timeout=30)
    assert not turns, f"never asked: {turns[0][0]}\n{shown}"
    return Conversation(code, shown)
