"""What can happen to {{ cookiecutter.__plural_words }}. Once released, an event keeps its shape."""

from typing import Any

from ...bus import Event


class {{ cookiecutter.__aggregate }}Created(Event):
    """It was taken in."""

    {{ cookiecutter.__aggregate_snake }}_id: str
    data: dict[str, Any]
