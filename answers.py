"""What the prompts accept, and the names derived from the answers.

cookiecutter.json loads this as a Jinja extension. A wrong answer is refused in one line, before the
next question; at a terminal, the question is asked again. names.py applies the same rules to the
final answers.
"""

from __future__ import annotations

import builtins
import json
import keyword
import re
import sys
import unicodedata
from collections.abc import Callable, Mapping, MutableMapping
from contextlib import suppress
from difflib import get_close_matches
from functools import wraps
from importlib import import_module
from importlib.util import cache_from_source
from pathlib import Path
from typing import Any, NamedTuple

import click
from cookiecutter.config import get_user_config
from cookiecutter.exceptions import FailedHookException
from cookiecutter.generate import generate_context
from cookiecutter.prompt import render_variable
from jinja2 import Environment, pass_context
from jinja2.ext import Extension
from jinja2.runtime import Context

import option_table

CLICK: Any = sys.modules.get("typer._click") or click
"""What the command line is made with: cookiecutter's with click, that of cruft with typer's copy of it."""


class InvalidAnswer(FailedHookException, CLICK.ClickException):  # type: ignore[misc]  # of either
    """An answer is refused. It is a failed hook to cookiecutter, whose command line prints it in
    one line; so does that of cruft, for which it is an error of click."""


class Rule(NamedTuple):
    limit: int  # characters
    shape: str  # a regular expression
    wording: str  # the same in words
    example: str


_KEBAB = r"[a-z][a-z0-9]*(-[a-z0-9]+)*"
# No control characters, and no marks that Jinja would interpret.
_PROSE = r"(?!.*\{[{%#])\S(.*\S)?"
_FEATURE = "|".join(option_table.FEATURES)

RULES = {
    "service_name": Rule(
        60,
        r"[^\W\d_]((\. |[ .-])?[^\W_])*",
        "must be letters and digits, with single spaces, dots or hyphens between them",
        "Order Service",
    ),
    "service_slug": Rule(
        40,
        _KEBAB,
        "must be lowercase letters and digits, words joined by hyphens",
        "order-service",
    ),
    "aggregate_name": Rule(
        24,
        r"[A-Za-z][A-Za-z0-9]*( [A-Za-z0-9]+)*",
        "must be letters and digits without accents, one word or several",
        "Purchase Order",
    ),
    "aggregate_plural": Rule(
        32,
        _KEBAB,
        "must be lowercase letters and digits, words joined by hyphens",
        "purchase-orders",
    ),
    "description": Rule(
        200,
        _PROSE,
        "must be one line of text, without spaces around it and without '{{', '{%' and '{#'",
        "Takes orders and archives the result.",
    ),
    "author_name": Rule(
        100,
        _PROSE,
        "must be one line of text, without spaces around it and without '{{', '{%' and '{#'",
        "Zoë O'Neill",
    ),
    "platform": Rule(6, "lambda|server", "must be lambda or server", "server"),
    "auth": Rule(4, "none|iam|jwt", "must be none, iam or jwt", "none"),
    "features": Rule(
        200,
        rf"(?i: *({_FEATURE})( *, *({_FEATURE}))* *| *none *)",
        f"must be none, or some of {', '.join(option_table.FEATURES)}, with commas between them",
        "quality",
    ),
}

_STDLIB = sys.stdlib_module_names | set(
    # in any of Python 3.11 to 3.14, whichever of them runs this
    "aifc annotationlib asynchat asyncore audioop cgi cgitb chunk compression crypt distutils"
    " imghdr imp lib2to3 mailcap msilib nis nntplib ossaudiodev pipes smtpd sndhdr spwd sunau"
    " telnetlib uu xdrlib".split()
)
# Packages and console scripts that a rendered service uses, and the folders beside its package.
_NEIGHBOURS = frozenset(
    "activate annotated_types anyio attrs boto3 botocore build certifi click conftest dateutil"
    " deploy dist docs dotenv fastapi h11 hatchling httpcore httpx hypothesis idna jinja2 jmespath"
    " mangum moto msgspec mypy pip pluggy punq py pydantic pydantic_core pydantic_settings"
    " pynamodb pytest pytest_xdist python python3 requests ruff s3transfer setuptools six sniffio"
    " src starlette structlog tests typing_extensions urllib3 uv uvicorn venv watchfiles werkzeug"
    " wheel xdist yaml".split()
)
# Names that the rendered code already uses.
_TAKEN = frozenset(
    "adapter adapters aggregate api app application asynccontextmanager body bootstrap bus"
    " causation cli clock codec command commands commit config correlation create_app create_store"
    " data dependencies dispatch docs documented domain entrypoint entrypoints error errors event"
    " events files from_environment given handler health history id import_module install json"
    " lifespan load_settings log log_messages make_bus message messages middleware module modules"
    " open_store openapi outcome partial pending port ports probes problem problems projection"
    " projections queries query ready redoc request response retry router run_in_threadpool"
    " schemas self service services settings shapes src state status store stream supervisor test"
    " tests timedelta type unit_of_work uow view views worker".split()
)


def checked(answers: Mapping[str, str], prompt: str, like: str = "") -> str:
    """The answer to `prompt`. Raises `InvalidAnswer`, which says what is wrong and what would be
    right. With `like`, the rule of that prompt applies."""
    answer, rule = str(answers[prompt]), like or prompt
    if reason := _objection(answers, rule, answer):
        shown = answer if len(answer) <= 60 else answer[:57] + "..."
        raise InvalidAnswer(
            f"{prompt} {shown!r} is refused: it {reason}. A valid example: {RULES[rule].example}"
        )
    return answer


Check = Callable[[Mapping[str, str], str], str]


def asking(check: Check, default: Check) -> Callable[[MutableMapping[str, str], str], str]:
    """Makes a filter of cookiecutter.json from a check. At a terminal, it asks again for an answer
    that the check refuses, with the same default, and replaces the answer."""

    @wraps(check)
    def ask(answers: MutableMapping[str, str], prompt: str) -> str:
        while True:
            try:
                return check(answers, prompt)
            except InvalidAnswer as refusal:
                if not _is_interactive():
                    raise
                click.echo(f"  {refusal}")
            offered = default(answers, prompt)
            question = f"  {prompt} ({offered})"
            answers[prompt] = _of_click("termui").prompt(
                question, default=offered, show_default=False
            )

    return ask


def _of_click(module: str) -> Any:
    return import_module(f"{CLICK.__name__}.{module}")


def _is_interactive() -> bool:
    """Whether the command line was started at a terminal, with prompts."""
    return not _command_line().get("no_input", True) and sys.stdin.isatty()


def _command_line() -> Mapping[str, Any]:
    """What the command line was given; empty if none runs this."""
    command = _of_click("globals").get_current_context(silent=True)
    given = dict(command.params) if command else {}
    if isinstance(extra := given.get("extra_context"), str):  # cruft's, as JSON
        given["extra_context"] = json.loads(extra)
    return given


def problem(answers: Mapping[str, str]) -> str:
    """What is wrong with a complete set of answers, private variables included; empty if nothing
    is."""
    derivations: dict[str, Callable[[], str]] = {
        "__package": lambda: package_name(answers["service_slug"]),
        "__aggregate": lambda: class_name(answers["aggregate_name"]),
        "__aggregate_snake": lambda: snake_case(class_name(answers["aggregate_name"])),
        "__aggregate_words": lambda: words(answers["__aggregate_snake"]),
        "__plural_snake": lambda: package_name(answers["aggregate_plural"]),
        "__plural_words": lambda: words(answers["__plural_snake"]),
    }
    try:
        for prompt in RULES:
            checked(answers, prompt)
    except InvalidAnswer as refusal:
        return str(refusal)
    for name, derive in derivations.items():
        if answers[name] != derive():
            return (
                f"{name} {answers[name]!r} is refused: it is derived, as {derive()!r}; leave it out"
            )
    return ""


def _objection(answers: Mapping[str, str], prompt: str, answer: str) -> str:
    rule = RULES[prompt]
    if not answer:
        return "is empty"
    if len(answer) > rule.limit:
        return f"has {len(answer)} characters, and {rule.limit} are the limit"
    if any(unicodedata.category(c) in {"Cc", "Cf", "Cs", "Zl", "Zp"} for c in answer):
        return "holds a control character"
    if not re.fullmatch(rule.shape, answer):
        return rule.wording
    if reason := option_table.objection(answers, prompt):
        return reason
    if prompt == "service_slug":
        return _package_objection(package_name(answer))
    if prompt == "aggregate_name":
        return _identifier_objection(snake_case(class_name(answer)), class_name(answer))
    if prompt == "aggregate_plural":
        plural_name = package_name(answer)
        if plural_name == snake_case(class_name(answers["aggregate_name"])):
            return "is the singular as well, and both are needed to tell one from many"
        return _identifier_objection(plural_name)
    return ""


def _package_objection(package: str) -> str:
    if keyword.iskeyword(package):
        return f"makes the package {package!r}, which is a Python keyword"
    if package in _STDLIB:
        return f"makes the package {package!r}, which is a module of Python's standard library"
    if package in _NEIGHBOURS:
        return f"makes the package {package!r}, which hides one that the service needs"
    return ""


def _identifier_objection(*names: str) -> str:
    for name in names:
        if keyword.iskeyword(name) or keyword.issoftkeyword(name):
            return f"makes the name {name!r}, which is a Python keyword"
        if name in dir(builtins):
            return f"makes the name {name!r}, which is one of Python's own"
        if name in _TAKEN:
            return f"makes the name {name!r}, which the service uses for something else"
    return ""


def package_name(kebab: str) -> str:
    return kebab.replace("-", "_")


def class_name(name: str) -> str:
    return "".join(word[0].upper() + word[1:] for word in name.split())


def snake_case(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


def words(snake: str) -> str:
    return snake.replace("_", " ")


def plural(singular: str) -> str:
    """A first guess by the regular rules; the user can edit the answer."""
    if re.search(r"[^aeiou]y$", singular):
        return singular[:-1] + "ies"
    return singular + ("es" if re.search(r"(s|x|z|ch|sh)$", singular) else "s")


def quoted(text: str) -> str:
    """The text as a literal that means the same in TOML, YAML, JSON and Python."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


@pass_context
def chosen(context: Context, feature: str) -> bool:
    """A test of Jinja's: `{% if "quality" is chosen %}`."""
    return feature in option_table.answered(context["cookiecutter"], "features")


class Answers(Extension):
    """The filters and tests of cookiecutter.json, the hook and the rendered files."""

    prompts = Path(__file__).with_name("cookiecutter.json")

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        self._refuse_unknown()
        environment.optimized = False  # each file is rendered once, which is quicker as it stands
        for function in (
            asking(checked, self.default),
            problem,
            option_table.plan,
            package_name,
            class_name,
            snake_case,
            words,
            plural,
            quoted,
        ):
            environment.filters[function.__name__] = function
        environment.tests["chosen"] = chosen
        # `cruft update` loads two versions of the template in one process, from the same path.
        # Neither may get a module of the other, nor its byte code, which Python matches only by
        # the size and the second of the source.
        for name, source in ((__name__, __file__), (option_table.__name__, option_table.__file__)):
            sys.modules.pop(name, None)
            with suppress(OSError):
                Path(cache_from_source(source)).unlink()

    def default(self, answers: Mapping[str, str], prompt: str) -> str:
        """What the prompt offers: the template's default, or that of the command line, or of the
        user's configuration."""
        given = _command_line()
        config = get_user_config(given.get("config_file"), given.get("default_config", False))
        context = generate_context(
            str(self.prompts), config["default_context"], given.get("extra_context")
        )
        offered = context["cookiecutter"][prompt]
        offered = offered[0] if isinstance(offered, list) else offered
        return str(render_variable(self.environment, offered, dict(answers)))

    def _refuse_unknown(self) -> None:
        """Refuses a prompt on the command line that there is not: cookiecutter would ignore it."""
        given = _command_line().get("extra_context")
        known = json.loads(self.prompts.read_text("utf-8"))
        for name in given if isinstance(given, Mapping) else ():
            if name not in known:
                public = [each for each in known if not each.startswith("_")]
                like = get_close_matches(name, public, 1) or [", ".join(public)]
                raise InvalidAnswer(f"{name} is refused: there is no such prompt, but {like[0]}")
