"""The attributes that the methods of an aggregate set, read from their source."""

import ast
import inspect
import linecache
from collections.abc import Iterator
from functools import lru_cache
from types import FunctionType

from ..model.aggregate import Aggregate


def attributes_set_by(aggregate_type: type[Aggregate]) -> Iterator[str]:
    """The attributes that methods of this class and of its bases set: on ``self``, or, in a method
    that makes an instance, on what ``cls(...)`` returned. Properties are left out.

    All methods count, because a snapshot keeps whatever the aggregate holds when it is taken.
    """
    for cls in aggregate_type.__mro__:
        if not issubclass(Aggregate, cls):
            for member in vars(cls).values():
                for name in _set_by(cls, member):
                    if not isinstance(getattr(aggregate_type, name, None), property):
                        yield name


def _set_by(cls: type, member: object) -> Iterator[str]:
    function = getattr(member, "__func__", member)  # of a classmethod or staticmethod
    if not isinstance(function, FunctionType):
        return
    code = inspect.unwrap(function).__code__
    definition = _definitions(code.co_filename).get(code.co_firstlineno)
    if definition is None:  # generated code, such as that of a dataclass, sets what is annotated
        return
    nodes = list(ast.walk(definition))
    first = {each.arg for each in definition.args.args[:1]}
    instances = {made for node in nodes for made in _made_by({*first, cls.__name__}, node)}
    if function is member:
        instances |= first
    for node in nodes:
        match node:
            case ast.Attribute(ast.Name(owner), name, ast.Store()) if owner in instances:
                mangled = name.startswith("__") and not name.endswith("__")
                yield f"_{cls.__name__.lstrip('_')}{name}" if mangled else name


@lru_cache(maxsize=1)  # the methods of a class are in one file
def _definitions(file: str) -> dict[int, ast.FunctionDef]:
    """The functions that this file defines, by their first lines, which may be a decorator's."""
    nodes = ast.walk(ast.parse("".join(linecache.getlines(file))))
    return {
        min([node.lineno, *(each.lineno for each in node.decorator_list)]): node
        for node in nodes
        if isinstance(node, ast.FunctionDef)
    }


def _made_by(names: set[str], node: ast.AST) -> Iterator[str]:
    """The variable to which this statement assigns what a call of one of these names returns."""
    match node:
        case ast.Assign([ast.Name(variable)], ast.Call(ast.Name(called))) if called in names:
            yield variable
        case ast.AnnAssign(ast.Name(variable), _, ast.Call(ast.Name(called))) if called in names:
            yield variable
