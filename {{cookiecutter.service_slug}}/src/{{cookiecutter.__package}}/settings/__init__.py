"""The settings, one module per subject; `config.py` lists them.

A module holds a mixin with the fields of its subject: a field `port` is the variable PORT. A rule
about more than one field is a function `check` beside it, which raises `ValueError`.
"""

from typing import TYPE_CHECKING

from pydantic import BaseModel

if TYPE_CHECKING:
    Mixin = BaseModel
else:
    # A pydantic model takes its time to be made. Only the whole is one, and it takes up what the
    # plain classes that it inherits declare; mypy checks the arguments of models alone.
    Mixin = object
