"""Items that their element could still change while they wait to be sent."""

from __future__ import annotations

import copy
import datetime
import enum
import pickle
from dataclasses import dataclass, fields
from pathlib import PurePath
from typing import Any, Final

import numpy as np

from flowquake.batches import is_batch

ATOMS: Final = frozenset({int, float, complex, bool, str, bytes, type(None)})
_UNCHANGING: Final = (np.generic, enum.Enum, datetime.date, datetime.timedelta, PurePath, range)
# For each class whether it is settled, or else the fields of a frozen record.
_judged: dict[type, bool | tuple[str, ...]] = {}


@dataclass(frozen=True, slots=True)
class Snapshot:
    """An item as it was when it was emitted.

    Parameters
    ----------
    pickled : bytes
        The item.
    """

    pickled: bytes

    @classmethod
    def of(cls, item: object) -> Snapshot:
        """Take a snapshot; raises what pickle raises."""
        return cls(pickle.dumps(item, 5))

    def restore(self) -> Any:  # items of every type
        """Give the item back; a new one each time."""
        return pickle.loads(self.pickled)  # noqa: S301 - written by `of`, in this run


def own_copy(item: Any) -> Any:  # items of every type
    """Give an item that its emitter, or another receiver, cannot change.

    Examples
    --------
    >>> emitted = ["etna"], ("etna", 3.1)
    >>> [own_copy(item) is item for item in emitted]
    [False, True]
    """
    if is_settled(item):
        return item
    try:
        return pickle.loads(pickle.dumps(item, 5))  # noqa: S301 - written right here
    except Exception:  # noqa: BLE001 - a user's class may raise anything
        try:
            return copy.deepcopy(item)
        except Exception:  # noqa: BLE001 - such an item is handed on as it is
            return item


def may_change(kind: type) -> bool:
    """Whether items of a class, or of one below it, can be changed after they were emitted."""
    is_batches = all(hasattr(kind, name) for name in ("take", "column", "concat"))
    return not (kind in ATOMS or issubclass(kind, (np.ndarray, *_UNCHANGING)) or is_batches)


def is_settled(item: Any) -> bool:  # items of every type
    """Whether nobody can change an item any more, as far as its parts tell.

    Arrays that were emitted are read-only.

    Examples
    --------
    >>> is_settled(("etna", 3.1)), is_settled(["etna"]), is_settled((1, [2]))
    (True, False, False)
    """
    kind = type(item)
    if kind in ATOMS:
        return True
    if kind is tuple or kind is frozenset:
        return ATOMS.issuperset(map(type, item)) or all(is_settled(part) for part in item)
    if isinstance(item, np.ndarray):
        return not item.flags.writeable and not item.dtype.hasobject
    settled = _judged.get(kind)
    if settled is None:
        settled = _judged[kind] = _judge(item)
    if isinstance(settled, bool):
        return settled
    return all(is_settled(getattr(item, name, None)) for name in settled)


def _judge(item: object) -> bool | tuple[str, ...]:
    """Say what is known of all items of a class, or which of their fields decide."""
    if getattr(type(item), "IS_FROZEN", False):  # the word of a record's author
        return True
    if isinstance(item, _UNCHANGING) or is_batch(item):
        return True
    parameters = getattr(type(item), "__dataclass_params__", None)
    if parameters is None or not parameters.frozen:
        return False
    return tuple(field.name for field in fields(item))  # type: ignore[arg-type]  # it is a dataclass
