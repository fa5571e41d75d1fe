"""Items that are given away: who emits and who receives may go on changing theirs.

A PE of dispel4py may fill its buffer again after it wrote it, and may change
what it received. The engine hands items on by reference, so what is neither a
number nor text is copied: by the sender when it is emitted, and by a receiver
that shares it with others or would find it read-only.
"""

from __future__ import annotations

import copy
from datetime import date, datetime, time, timedelta
from typing import Any

import numpy as np

# What cannot be changed; the scalars of numpy too, but for those that hold objects.
_SCALARS = frozenset(np.sctypeDict.values()) - {np.object_, np.void}
PLAIN: frozenset[type] = _SCALARS | {
    *(int, float, str, bytes, bool, complex, type(None), range),
    *(datetime, date, time, timedelta),
}


def snapshot(item: Any) -> Any:  # an item of any type, and its like
    """Give an item that later changes of the original do not reach.

    Examples
    --------
    >>> buffer = [1, 2]
    >>> given = snapshot(buffer)
    >>> buffer[0] = 5
    >>> given
    [1, 2]
    """
    kind = type(item)
    if kind in PLAIN:
        return item
    if kind is list or kind is tuple:
        for part in item:
            if type(part) not in PLAIN:
                return _copied(item)
        return item.copy() if kind is list else item
    if kind is dict:
        for part in item.values():
            if type(part) not in PLAIN:
                return _copied(item)
        return item.copy()
    return _copied(item)


def taken(item: Any, *, shared: bool) -> Any:  # an item of any type, and its like
    """Give an item that its receiver may change.

    Parameters
    ----------
    item : object
        What came.
    shared : bool
        Whether somebody else may have got the same object.
    """
    kind = type(item)
    if kind in PLAIN:
        return item
    if kind is np.ndarray and not shared:
        return item if item.flags.writeable else item.copy()
    if not shared and kind in (list, tuple, dict):
        # What has no arrays inside was not made read-only on its way.
        parts = item.values() if kind is dict else item
        if all(type(part) in PLAIN for part in parts):
            return item
    return snapshot(item)


def _copied(item: Any) -> Any:  # an item of any type, and its like
    try:
        return copy.deepcopy(item)
    except Exception:  # noqa: BLE001 - a user's class may refuse with anything
        # An open file or a lock has no copy; who emits it means the thing itself.
        return item
