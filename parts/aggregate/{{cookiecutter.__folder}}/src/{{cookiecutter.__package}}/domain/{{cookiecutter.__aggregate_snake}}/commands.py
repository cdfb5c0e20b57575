"""What can be asked of {{ cookiecutter.__plural_words }}."""

from typing import Any

from ...bus import Command


class Create{{ cookiecutter.__aggregate }}(Command):
    """Take it in, with whatever data the caller sends."""

    {{ cookiecutter.__aggregate_snake }}_id: str
    data: dict[str, Any]
