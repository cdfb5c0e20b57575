"""Upcasters: they turn released events of an older shape into the present one. There is none yet.

When `{{ cookiecutter.__aggregate }}Created` gets a new required field, it becomes version 2.
A function turns a stored version 1 into it, whenever one is read::

    class {{ cookiecutter.__aggregate }}Created(Event, version=2): ...

    def with_channel(stored: dict[str, Any]) -> dict[str, Any]:
        return {**stored, "channel": "unknown"}

    UPCASTERS = (Upcaster("{{ cookiecutter.__aggregate }}Created", 1, with_channel),)
"""

from ...bus import Upcaster

UPCASTERS: tuple[Upcaster, ...] = ()
