"""The validation that every entry point shares: strict JSON, the form of ids, a bounded depth."""

import re
import uuid
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
ANONYMOUS = "anonymous"
"""The actor, where nobody has to say who they are."""


def is_id(text: str) -> bool:
    """Whether this has the form of an id. What has not is the id of nothing."""
    return re.fullmatch(ID_PATTERN, text) is not None


def is_key(text: str) -> bool:
    """Whether this has the form of an idempotency key."""
    return re.fullmatch(KEY_PATTERN, text) is not None


def json(text: bytes | str) -> Any:
    """The JSON value. NaN, infinities, lone surrogates and numbers out of range are refused: a
    store could not give them back unchanged. Raises `ValueError`."""
    try:
        return msgspec.json.decode(text)
    except (ValueError, RecursionError):  # what msgspec raises is of these, for Unicode too
        raise ValueError("it is not JSON that can be stored") from None


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
