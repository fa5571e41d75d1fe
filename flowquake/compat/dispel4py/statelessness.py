"""Whether a PE plainly keeps nothing between items, so that several give what one gives."""

from __future__ import annotations

import dis
from collections import deque
from collections.abc import Iterator, Mapping
from types import BuiltinFunctionType, CodeType, FunctionType
from typing import Any

import numpy as np

from flowquake.compat.dispel4py.base import SimpleFunctionPE
from flowquake.compat.dispel4py.core import GenericPE

# Values that cannot be changed.
_FIXED = (int, float, complex, str, bytes, bool, type(None), range, frozenset, type)
_CHANGES = frozenset(("STORE_ATTR", "DELETE_ATTR", "STORE_GLOBAL", "DELETE_GLOBAL"))
_CONTAINERS = (dict, list, set, bytearray, deque, np.ndarray)
_OF_THE_CLASS = frozenset(("__class__", "__classdict__"))  # what super() closes over
_NO_METHODS = frozenset(("__init__", "__annotate__", "__annotate_func__"))
_REACHES_ALL = frozenset(("setattr", "delattr", "vars", "__dict__", "globals"))
_OURS = "flowquake.compat.dispel4py"


def keeps_nothing(pe: GenericPE) -> bool:
    """Whether a PE can be seen to keep nothing between items.

    Only where its class says so, or where it holds nothing but fixed values
    and none of its methods assigns to an attribute or speaks of a container
    of its module. A False says nothing.
    """
    if pe.replicates is not None:
        return pe.replicates
    if ends(pe):
        return False
    if type(pe) is SimpleFunctionPE:
        return _is_fixed(pe.compute_fn) and all(map(_is_fixed, pe.params.values()))
    plain = vars(GenericPE()).keys()
    if not all(_is_fixed(value) for name, value in vars(pe).items() if name not in plain):
        return False
    for kind in _classes(pe):
        for name, value in vars(kind).items():
            # Python's own attributes, of annotations and the like, are none of the user's.
            is_own = name.startswith("__") and not isinstance(value, FunctionType)
            if not (is_own or name in _NO_METHODS or _is_fixed(value)):
                return False
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


def _is_fixed(value: Any) -> bool:  # an attribute of any type
    if isinstance(value, tuple):
        return all(map(_is_fixed, value))
    if isinstance(value, property):
        return value.fset is None and _is_fixed(value.fget)
    function = getattr(value, "__func__", value)  # of a static or class method
    if isinstance(function, FunctionType):
        if not _OF_THE_CLASS.issuperset(function.__code__.co_freevars):
            return False
        names = function.__globals__
        return not any(_may_change(code, names) for code in _codes(function.__code__))
    return isinstance(value, (*_FIXED, BuiltinFunctionType, np.ufunc))


def _may_change(code: CodeType, names: Mapping[str, object]) -> bool:
    if not _REACHES_ALL.isdisjoint(code.co_names):
        return True
    if any(isinstance(names.get(name), _CONTAINERS) for name in code.co_names):
        return True
    return any(instruction.opname in _CHANGES for instruction in dis.get_instructions(code))
