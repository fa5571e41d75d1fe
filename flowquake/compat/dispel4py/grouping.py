"""dispel4py's groupings: what one is, and keys of everything that Python can hold."""

from __future__ import annotations

import math
from collections.abc import Mapping, Set
from dataclasses import dataclass
from typing import Any

import numpy as np

from flowquake.errors import InputError, WorkflowError, suggest
from flowquake.ports import Key

ALL, GLOBAL = "all", "global"
# All of these deal items out; dispel4py takes any word for it.
DEALT = ("shuffle", "none", "")


@dataclass(frozen=True, slots=True)
class GroupBy:
    """The key of an item: some of its parts.

    Parameters
    ----------
    parts : tuple
        Indices of a list or tuple, or names in a dict.
    """

    parts: tuple[Any, ...]  # whatever an item can be asked for

    @property
    def __name__(self) -> str:
        return ", ".join(map(repr, self.parts))

    def __call__(self, item: Any) -> Key:  # an item of any type
        """Give the key of an item.

        Raises
        ------
        InputError
            If it has no such part, or the part can be no key.
        """
        try:
            return tuple([as_key(item[part]) for part in self.parts])
        except (TypeError, LookupError) as cause:
            raise InputError(
                f"the item cannot be grouped by {list(self.parts)}: "
                f"{type(cause).__name__}: {cause}",
                fix="group by indices of a list or tuple, or by keys of a dict",
            ) from cause


Grouping = GroupBy | str | None


def read_grouping(given: object, *, pe: str, port: str) -> Grouping:
    """Read what a connection's ``grouping`` says.

    Raises
    ------
    WorkflowError
        If it says nothing that is known.
    """
    if given is None or given in DEALT:
        return None
    if given in (ALL, GLOBAL):
        return str(given)
    if isinstance(given, (list, tuple)):
        return GroupBy(tuple(given))
    if isinstance(given, int):
        return GroupBy((given,))
    raise WorkflowError(
        f"input '{port}' of PE '{pe}' has the grouping {given!r}, which is not known"
        + suggest(str(given), (ALL, GLOBAL, "shuffle")),
        fix="use 'all', 'global', a list of indices such as [0], or none",
    )


def as_key(value: Any) -> Key:  # a value of any type
    """Turn a value into a key that is the same in every process; equals have one key.

    Examples
    --------
    >>> as_key({"b": 1, "a": {2, 1}}) == as_key({"a": {1, 2}, "b": 1.0})
    True
    """
    if value is None or isinstance(value, (bool, int, str, bytes)):
        return value
    if isinstance(value, float):
        # NaN equals nothing, but all of them can go to one place.
        return ("nan",) if math.isnan(value) else value
    if isinstance(value, (list, tuple)):
        return tuple([as_key(part) for part in value])
    if isinstance(value, Mapping):
        return ("mapping", _as_set([(key, part) for key, part in value.items()]))
    if isinstance(value, Set):
        return ("set", _as_set(list(value)))
    if isinstance(value, range):
        return ("range", *value[:1], *value[1:2], len(value))
    if isinstance(value, np.generic):
        return as_key(value.item())
    if isinstance(value, np.ndarray):
        return ("array", as_key(value.tolist()))
    return _of_object(value)


def _as_set(parts: list[Any]) -> Key:
    from flowquake.keys import normalise, sort_key

    return tuple(sorted((normalise(as_key(part)) for part in parts), key=sort_key))


def _of_object(value: Any) -> Key:
    """Take an object apart as pickle does, into its class and what it is made from."""
    kind = type(value)
    if isinstance(value, complex):
        return ("complex", value.real, value.imag)
    if isinstance(value, type) or callable(value):
        return ("named", str(value.__module__), str(value.__qualname__))
    try:
        _, *made_from = value.__reduce_ex__(4)
    except Exception as cause:
        raise InputError(
            f"{kind.__name__} cannot be a key: {value!r:.80}",
            fix="group by numbers, text, or lists, dicts and sets of these",
        ) from cause
    parts = [part for part in made_from[:2] if part is not None]
    return ("object", kind.__module__, kind.__qualname__, as_key(parts))
