"""A dictionary that cannot change, and values like it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NoReturn, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class FrozenDict(dict[K, V]):
    """A dictionary that raises on every change; JSON and pickle take it as it is.

    Examples
    --------
    >>> FrozenDict({"level": 0.9})["level"]
    0.9
    """

    __slots__ = ()

    def _refuse(self, *args: object, **kwargs: object) -> NoReturn:
        raise TypeError("a record's dictionary cannot be changed")

    __setitem__ = __delitem__ = clear = pop = popitem = setdefault = update = _refuse
    __ior__ = _refuse

    def __reduce__(self) -> tuple[type[FrozenDict[K, V]], tuple[dict[K, V]]]:
        return FrozenDict, (dict(self),)


def freeze(value: object) -> object:
    """Give a JSON-like value with its dictionaries frozen and its lists as tuples."""
    if isinstance(value, Mapping):
        return FrozenDict({key: freeze(part) for key, part in value.items()})
    if isinstance(value, (list, tuple)):
        return tuple(freeze(part) for part in value)
    return value
