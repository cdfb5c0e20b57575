"""The settings, one module per subject; `config.py` lists them.

A module holds a mixin with the fields of its subject: a field `port` is the variable PORT. A rule
about more than one field is a function `check` beside it, which raises `ValueError`.
"""

from typing import TYPE_CHECKING

from pydantic import BaseModel

if TYPE_CHECKING:
    Mixin = BaseModel
else:
    # It takes time to make a pydantic model, so only `Settings` is one. It reads the fields of the
    # plain classes that it inherits. For mypy they are models too: it checks only those.
    Mixin = object
