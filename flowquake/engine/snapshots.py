"""Items that their element could still change while they wait to be sent."""

from __future__ import annotations

import datetime
import enum
import pickle
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any, Final

import numpy as np

from flowquake.batches import is_batch
from flowquake.errors import PEError

ATOMS: Final = frozenset({int, float, complex, bool, str, bytes, type(None)})
_UNCHANGING: Final = (np.generic, enum.Enum, datetime.date, datetime.timedelta, PurePath, range)
_judged: dict[type, bool] = {}


class UnreadableError(PEError):
    """An item that cannot be unpickled.

    Parameters
    ----------
    channel : int
        On which channel it came.
    cause : Exception
        What went wrong.
    """

    _placed = True  # the worker knows whose the channel is, see `failures.unreadable`

    def __init__(self, channel: int, cause: Exception) -> None:
        super().__init__(f"channel {channel}: {cause}")
        self.channel = channel
        self.cause = cause


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

    def restore(self, channel: int) -> Any:  # items of every type
        """Give the item back; a new one each time.

        Raises
        ------
        UnreadableError
            If that fails, with the channel it came from.
        """
        try:
            return pickle.loads(self.pickled)  # noqa: S301 - written by `of`, in this run
        except Exception as cause:
            raise UnreadableError(channel, cause) from cause


def is_settled(item: Any) -> bool:  # items of every type
    """Whether nobody can change an item any more, as far as its type tells.

    Records are frozen, and arrays that were emitted are read-only.

    Examples
    --------
    >>> is_settled(("etna", 3.1)), is_settled(["etna"]), is_settled((1, [2]))
    (True, False, False)
    """
    kind = type(item)
    if kind in ATOMS:
        return True
    if kind is tuple or kind is frozenset:
        return all(is_settled(part) for part in item)
    if isinstance(item, np.ndarray):
        return not item.flags.writeable and not item.dtype.hasobject
    settled = _judged.get(kind)
    if settled is None:
        settled = _judged[kind] = _judge(item)
    return settled


def _judge(item: object) -> bool:
    if isinstance(item, _UNCHANGING) or is_batch(item):
        return True
    parameters = getattr(type(item), "__dataclass_params__", None)
    return parameters is not None and bool(parameters.frozen)
