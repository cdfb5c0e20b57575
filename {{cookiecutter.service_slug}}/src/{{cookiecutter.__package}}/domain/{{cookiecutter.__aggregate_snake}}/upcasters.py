"""What lifts released events of an older shape to the present one; none yet.

When `{{ cookiecutter.__aggregate }}Created` gets a new field that it cannot do without, it becomes version 2, and
what is in the log is lifted as it is read::

    class {{ cookiecutter.__aggregate }}Created(Event, version=2): ...

    def with_channel(stored: dict[str, Any]) -> dict[str, Any]:
        return {**stored, "channel": "unknown"}

    UPCASTERS = (Upcaster("{{ cookiecutter.__aggregate }}Created", 1, with_channel),)
"""

from ...bus import Upcaster

UPCASTERS: tuple[Upcaster, ...] = ()
