"""What this service knows of {{ cookiecutter.__plural_words }}, which another system keeps."""

from typing import Protocol

import msgspec


class {{ cookiecutter.__external }}(msgspec.Struct, frozen=True):
    """One of them, with the fields that this service needs: say which. Other fields are ignored."""

    id: str


class {{ cookiecutter.__external }}Repository(Protocol):
    """All of them, to be read.

    A command handler asks for it in its ``__init__``, as for any port. Read it before the first
    `uow.get`: while the other system answers, aggregates that are loaded already may be changed by
    other commands.
    """

    def get(
        self,
        {{ cookiecutter.__external_snake }}_id: str,
        /,
    ) -> {{ cookiecutter.__external }} | None:
        """The one with this id, or None if there is none. Raises `ports.Unavailable`."""
        ...
