"""What this service needs to know of {{ cookiecutter.__plural_words }}, which another system keeps."""

from typing import Protocol

import msgspec


class {{ cookiecutter.__external }}(msgspec.Struct, frozen=True):
    """One of them, with the fields that this service needs: say which. Others are passed over."""

    id: str


class {{ cookiecutter.__external }}Repository(Protocol):
    """All of them, to be read.

    A command handler asks for it in its ``__init__``, as for any port. It is best read before the
    first `uow.get`: what is loaded while another system takes its time, has changed meanwhile.
    """

    def get(
        self,
        {{ cookiecutter.__external_snake }}_id: str,
        /,
    ) -> {{ cookiecutter.__external }} | None:
        """The one with this id, or None if there is none. Raises `ports.Unavailable`."""
        ...
