"""The {{ cookiecutter.__plural_words }} of another system: over HTTP, or a dictionary in tests."""

import random
import time
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import quote

import httpx
import msgspec

from ..bus import ConfigurationError
from ..config import Settings
from ..service.ports import Unavailable
from ..service.ports import {{ cookiecutter.__plural_snake }} as port

ATTEMPTS = 3
FIRST_WAIT = 0.1  # seconds; then twice as long each time
LONGEST_WAIT = 2.0  # seconds; after a longer Retry-After there is no retry
MAX_BYTES = 1_000_000
TEMPORARY = frozenset({429, 502, 503, 504})
UNREACHABLE = (httpx.NetworkError, httpx.ConnectTimeout, httpx.RemoteProtocolError)


class Memory{{ cookiecutter.__external }}Repository:
    """A dictionary, for tests."""

    def __init__(
        self,
        *known: port.{{ cookiecutter.__external }},
    ) -> None:
        self.known = {each.id: each for each in known}

    def get(
        self,
        {{ cookiecutter.__external_snake }}_id: str,
        /,
    ) -> port.{{ cookiecutter.__external }} | None:
        return self.known.get({{ cookiecutter.__external_snake }}_id)


class Unset{{ cookiecutter.__external }}Repository:
    """Used while the URL of the other system is not set: the service starts without it."""

    def get(
        self,
        _{{ cookiecutter.__external_snake }}_id: str,
        /,
    ) -> port.{{ cookiecutter.__external }} | None:
        raise Unavailable("{{ cookiecutter.__plural_upper }}_URL is not set")


class Http{{ cookiecutter.__external }}Repository:
    """``GET <url>/{{ cookiecutter.external_plural }}/<id>``. Any number of threads may share one.

    The other system has `timeout` seconds to connect, and as many to answer. The request is retried
    after a short wait with jitter, or after the time in its Retry-After, if the system cannot be
    reached, drops the connection, or fails for the moment (429, 502, 503, 504). It is not retried
    after a time-out of the answer, because its time is used up.
    """

    def __init__(
        self,
        url: str,
        timeout: float,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._timeout, self._sleep = timeout, sleep
        self._client = httpx.Client(
            base_url=url,
            timeout=timeout,
            headers={"Accept": "application/json", "Accept-Encoding": "identity"},
        )

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def get(
        self,
        {{ cookiecutter.__external_snake }}_id: str,
        /,
    ) -> port.{{ cookiecutter.__external }} | None:
        if not {{ cookiecutter.__external_snake }}_id.strip("."):
            return None  # `.` and `..` mean something else in a path
        path = "{{ cookiecutter.external_plural }}/" + quote(
            {{ cookiecutter.__external_snake }}_id,
            safe="",
        )
        status, body = self._get_with_retries(path)
        if status == httpx.codes.NOT_FOUND:
            return None
        if status != httpx.codes.OK:
            raise _unavailable(f"answered {status}")
        try:
            return msgspec.json.decode(
                body,
                type=port.{{ cookiecutter.__external }},
            )
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise _unavailable("answered what is not understood") from None

    def _get_with_retries(self, path: str) -> tuple[int, bytes]:
        """Status and body of the answer, after at most `ATTEMPTS` attempts."""
        attempt = 0
        while True:
            attempt += 1
            try:
                status, headers, body = self._get_once(path)
            except UNREACHABLE as error:
                if attempt == ATTEMPTS:
                    raise _unavailable("cannot be reached") from error
                wait = 0.0
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                raise _unavailable(f"did not answer: {type(error).__name__}") from error
            else:
                wait = _retry_after(headers)
                if status not in TEMPORARY or attempt == ATTEMPTS or wait > LONGEST_WAIT:
                    return status, body
            jitter = random.uniform(0.5, 1)  # noqa: S311 - no secret
            self._sleep(max(wait, FIRST_WAIT * 2 ** (attempt - 1) * jitter))

    def _get_once(self, path: str) -> tuple[int, httpx.Headers, bytes]:
        """Make one attempt. The deadline ends an answer that comes a little at a time and never
        ends."""
        deadline, body = time.monotonic() + 2 * self._timeout, bytearray()
        with self._client.stream("GET", path) as response:
            for chunk in response.iter_raw():
                body += chunk
                if len(body) > MAX_BYTES:
                    raise _unavailable(f"answered more than {MAX_BYTES} bytes")
                if time.monotonic() > deadline:
                    raise httpx.ReadTimeout("the answer has no end")
        return response.status_code, response.headers, bytes(body)


def open_{{ cookiecutter.__plural_snake }}(
    settings: Settings,
) -> port.{{ cookiecutter.__external }}Repository:
    """The system at {{ cookiecutter.__plural_upper }}_URL. Raises `ConfigurationError`."""
    url = settings.{{ cookiecutter.__plural_snake }}_url
    if not url:
        return Unset{{ cookiecutter.__external }}Repository()
    try:
        if not url.startswith(("http://", "https://")):
            raise httpx.InvalidURL("it must begin with http:// or https://")
        return Http{{ cookiecutter.__external }}Repository(
            url,
            settings.{{ cookiecutter.__plural_snake }}_timeout_seconds,
        )
    except httpx.InvalidURL as error:
        raise ConfigurationError(f"{{ cookiecutter.__plural_upper }}_URL: {error}") from None


def _unavailable(what: str) -> Unavailable:
    return Unavailable(f"{{ cookiecutter.__plural_words }}: the other system {what}")


def _retry_after(headers: httpx.Headers) -> float:
    """The seconds in the Retry-After header, given as a number or a date; 0 without one."""
    text = headers.get("Retry-After", "")
    if text.isdecimal():
        return float(text)
    try:
        return (parsedate_to_datetime(text) - datetime.now(UTC)).total_seconds()
    except (TypeError, ValueError):
        return 0
