"""The validation that every entry point shares: strict JSON, the form of ids, a bounded depth."""

import re
import uuid
from decimal import Decimal
from json import loads
from typing import Any

import msgspec

ID_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$"
KEY_PATTERN = r"^[!-~]{1,255}$"
"""Of idempotency keys."""
MAX_LEVELS = 64
MAX_BODY_BYTES = 256 * 1024
SANE_CORRELATION_ID = re.compile(r"[!-~]([ -~]{0,126}[!-~])?")
TRACEPARENT = re.compile(
    r"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}"
)
MALFORMED = "it is not JSON that can be stored"
ANONYMOUS = "anonymous"
"""The actor, where nobody has to say who they are."""


def is_id(text: str) -> bool:
    """Whether this has the form of an id. What has not is the id of nothing."""
    return re.fullmatch(ID_PATTERN, text) is not None


def is_key(text: str) -> bool:
    """Whether this has the form of an idempotency key."""
    return re.fullmatch(KEY_PATTERN, text) is not None


class NotStorable(ValueError):
    """A JSON text that a store could not give back unchanged. The error says why, and does not
    repeat the text."""


def json(text: bytes | str) -> Any:
    """The JSON value. Raises `NotStorable` for NaN, infinities and lone surrogates, for a number
    that would come back as another (`0.1` is taken, `0.10000000000000000555` is not), and for an
    object that has two members of one name."""
    try:
        encoded = text.encode() if isinstance(text, str) else text
        value = _decoder.decode(encoded)
        is_ambiguous = _has_duplicates(encoded, value)
    except (ValueError, RecursionError) as error:  # what msgspec raises is of these
        cause = error.__cause__  # msgspec wraps what `_float` raises
        raise cause if isinstance(cause, NotStorable) else NotStorable(MALFORMED) from None
    if is_ambiguous:
        raise NotStorable("an object in it has two members of one name")
    return value


def is_too_deep(value: Any) -> bool:
    """Whether objects and arrays are nested more than MAX_LEVELS deep. The outermost is level 1."""
    level, layer = 1, [value] if isinstance(value, dict | list) else []
    while layer := [inner for outer in layer for inner in _containers_in(outer)]:
        level += 1
        if level > MAX_LEVELS:
            return True
    return False


def correlation_id(given: str | None) -> str:
    """The correlation id, if one is given and it is printable and short enough; else a new one."""
    if given is not None and SANE_CORRELATION_ID.fullmatch(given):
        return given
    return uuid.uuid4().hex


def traceparent(given: str | None) -> str | None:
    """The W3C trace context, if one is given and it is well formed."""
    return given if given is not None and TRACEPARENT.fullmatch(given) else None


def _containers_in(outer: Any) -> list[Any]:
    values = outer.values() if isinstance(outer, dict) else outer
    return [inner for inner in values if isinstance(inner, dict | list)]


def _float(literal: str) -> float:
    """The number, if it has the same decimal value when it is written again."""
    number = float(literal)
    if len(literal) <= _SAFE_LENGTH and "e" not in literal and "E" not in literal:
        return number
    shortest = repr(number)
    if shortest != literal and not _are_equal(literal, shortest):
        raise NotStorable("a number in it would be rounded: send it as a string")
    return number


def _are_equal(literal: str, shortest: str) -> bool:
    try:
        return Decimal(literal) == Decimal(shortest)
    except ArithmeticError:  # an exponent of twenty digits, say
        return False


def _has_duplicates(text: bytes, value: Any) -> bool:
    """Whether an object in the text has two members of one name. The decoder keeps only the last of
    them, so the value, written again, has fewer colons than the text. This costs less than a hook
    for each object. Only if a string may hold an escaped colon, the objects are read one by one."""
    if not _ESCAPED_COLON.search(text):
        return text.count(b":") != _encoder.encode(value).count(b":")
    found: list[bool] = []
    loads(text, object_pairs_hook=lambda pairs: found.append(len(dict(pairs)) < len(pairs)))
    return any(found)


_ESCAPED_COLON = re.compile(rb"\\u003[aA]")
_SAFE_LENGTH = 16
"""Of a literal with a point and no exponent. 15 digits always survive (IEEE 754, binary64)."""

_decoder = msgspec.json.Decoder(float_hook=_float)
_encoder = msgspec.json.Encoder()
