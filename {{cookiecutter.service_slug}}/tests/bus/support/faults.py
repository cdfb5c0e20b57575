"""A proxy that makes calls fail: of an event store, or of any other port.

    store = faulty(MemoryEventStore(), plan)

Before each call, `plan(name)` chooses its fault: none; a failure before the call was executed; a
failure after it was executed, which the caller cannot tell from the other; or a late call, which
fails for its caller and is executed when the next call comes.
"""

from collections.abc import Callable
from contextlib import suppress
from enum import Enum
from typing import Any, TypeVar

from {{ cookiecutter.__package }}.bus import StoreError, StoreUnavailable

P = TypeVar("P")


class Fault(Enum):
    """What goes wrong with a call."""

    NONE = "none"
    BEFORE = "before"
    AFTER = "after"
    LATE = "late"


Plan = Callable[[str], Fault]


def faulty(port: P, plan: Plan) -> P:
    """The port, with the faults of this plan."""
    return _Proxy(port, plan)  # type: ignore[return-value]  # it has what the port has


class _Proxy:
    def __init__(self, port: Any, plan: Plan) -> None:
        self._port, self._plan = port, plan
        self._late: list[Callable[[], Any]] = []

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._port, name)
        if name == "views":
            return _Proxy(found, self._plan)
        return self._wrapped(name, found) if callable(found) else found

    def _wrapped(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(*arguments: Any, **options: Any) -> Any:
            self._land()
            fault = self._plan(name)
            if fault is Fault.LATE:
                self._late.append(lambda: call(*arguments, **options))
            if fault in {Fault.BEFORE, Fault.LATE}:
                raise StoreUnavailable(f"{name}: a fault, {fault.value}")
            result = call(*arguments, **options)
            if fault is Fault.AFTER:
                raise StoreUnavailable(f"{name}: a fault, {fault.value}")
            return result

        return wrapped

    def _land(self) -> None:
        """Execute the late calls. Their errors are ignored: no caller waits for them."""
        late, self._late = self._late, []
        for call in late:
            with suppress(StoreError):
                call()
