"""Where another system has the {{ cookiecutter.__plural_words }}."""

from pydantic import Field

from . import Mixin


class {{ cookiecutter.__external }}Settings(Mixin):
    """Its address, and how long it may take to connect, and then to answer."""

    {{ cookiecutter.__plural_snake }}_url: str | None = None
    {{ cookiecutter.__plural_snake }}_timeout_seconds: float = Field(default=2, gt=0, le=60)
