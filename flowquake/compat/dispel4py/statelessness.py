"""Whether a PE plainly keeps nothing between items, so that several give what one gives."""

from __future__ import annotations

import dis
from collections.abc import Iterator
from types import BuiltinFunctionType, CodeType, FunctionType
from typing import Any

from flowquake.compat.dispel4py.core import GenericPE

# Values that cannot be changed.
_FIXED = (int, float, complex, str, bytes, bool, type(None), range, frozenset, type)
_CHANGES = frozenset(("STORE_ATTR", "DELETE_ATTR", "STORE_GLOBAL", "DELETE_GLOBAL"))
_REACHES_ALL = frozenset(("setattr", "delattr", "vars", "__dict__", "globals"))
_OURS = "flowquake.compat.dispel4py"


def keeps_nothing(pe: GenericPE) -> bool:
    """Whether a PE can be seen to keep nothing between items.

    Only where its class says so, or where it holds nothing but fixed values
    and none of its methods assigns to an attribute. A False says nothing.
    """
    if pe.replicates is not None:
        return pe.replicates
    if ends(pe):
        return False
    plain = vars(GenericPE()).keys()
    if not all(_is_fixed(value) for name, value in vars(pe).items() if name not in plain):
        return False
    for kind in _classes(pe):
        for name, value in vars(kind).items():
            if name == "__init__":
                continue
            function = getattr(value, "__func__", value)  # of a static or class method
            if isinstance(function, FunctionType):
                if function.__closure__ or any(map(_may_change, _codes(function.__code__))):
                    return False
            elif not (_is_fixed(value) or (name.startswith("__") and name.endswith("__"))):
                return False  # Python's own attributes, of annotations and the like, aside
    return True


def ends(pe: GenericPE) -> bool:
    """Whether a PE does something at its end, which each instance would do."""
    kind = type(pe)
    return (
        kind.postprocess is not GenericPE.postprocess
        or kind._postprocess is not GenericPE._postprocess
    )


def names_in_methods(pe: GenericPE) -> set[str]:
    """Give the names of attributes that the methods of a user's class speak of."""
    return {
        name
        for kind in _classes(pe)
        for value in vars(kind).values()
        if isinstance(value, FunctionType)
        for code in _codes(value.__code__)
        for name in code.co_names
    }


def _classes(pe: GenericPE) -> list[type]:
    return [c for c in type(pe).__mro__ if c is not object and not c.__module__.startswith(_OURS)]


def _codes(code: CodeType) -> Iterator[CodeType]:
    waiting = [code]
    while waiting:
        code = waiting.pop()
        yield code
        waiting += [inner for inner in code.co_consts if isinstance(inner, CodeType)]


def _may_change(code: CodeType) -> bool:
    if not _REACHES_ALL.isdisjoint(code.co_names):
        return True
    return any(instruction.opname in _CHANGES for instruction in dis.get_instructions(code))


def _is_fixed(value: Any) -> bool:  # an attribute of any type
    if isinstance(value, tuple):
        return all(map(_is_fixed, value))
    if isinstance(value, FunctionType):
        return value.__closure__ is None
    return isinstance(value, (*_FIXED, BuiltinFunctionType, property))
