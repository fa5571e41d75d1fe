"""Batches: how the engine sees columnar items."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import islice
from typing import Any, Protocol, TypeGuard

import numpy as np
import numpy.typing as npt

from flowquake.errors import InputError
from flowquake.keys import normalise
from flowquake.ports import By, Key

IntArray = npt.NDArray[np.int64]


class Batch(Protocol):
    """The few things that the engine asks of a columnar item."""

    @property
    def nbytes(self) -> int:
        """Give its size in memory."""

    def __len__(self) -> int:
        """Count its rows."""

    def column(self, name: str) -> npt.NDArray[Any]:  # a column has any dtype
        """Give one column, or raise KeyError."""

    def take(self, index: IntArray | slice) -> Any:  # the same class; Self is lost in a TypeGuard
        """Give some of the rows."""

    @classmethod
    def concat(cls, parts: Sequence[Any]) -> Any:  # the same class
        """Join batches, rows in the order given."""


def is_batch(item: object) -> TypeGuard[Batch]:
    """Whether an item has rows that the engine may split."""
    kind = type(item)
    return hasattr(kind, "take") and hasattr(kind, "column") and hasattr(kind, "concat")


Splitter = Callable[[Any], list[tuple[Key, Any]]]


def splitter(by: By) -> Splitter:
    """Make the function that splits an item into (key, part) by a grouping.

    Parameters
    ----------
    by : str or callable
        An attribute of an item (of a batch: one value for all its rows), a
        column of a batch, or a function of the item.

    Returns
    -------
    callable
        Parts come in the order in which their keys first appear; the rows of
        a part keep their order.
    """
    if callable(by):
        function = by
        return lambda item: [(normalise(function(item)), item)]
    name = by

    def split(item: Any) -> list[tuple[Key, Any]]:  # items of every type
        value = getattr(item, name, None)
        if is_batch(item) and not isinstance(value, (str, bytes, int, float, tuple)):
            try:
                return _split_rows(item, item.column(name))
            except KeyError:
                pass
        if value is None and not hasattr(item, name):
            raise InputError(
                f"{type(item).__name__} has neither a column nor an attribute '{name}' to group by"
            )
        return [(normalise(value), item)]

    return split


def _split_rows(batch: Batch, values: npt.NDArray[Any]) -> list[tuple[Key, Any]]:
    if len(values) > 64 and values.dtype != object:
        unique, first, inverse = np.unique(values, return_index=True, return_inverse=True)
        if len(unique) == 1:
            return [(normalise(unique[0]), batch)]
        by_key = np.argsort(inverse, kind="stable")
        groups = np.split(by_key, np.flatnonzero(np.diff(inverse[by_key])) + 1)
        return [(normalise(unique[k]), batch.take(groups[k])) for k in np.argsort(first)]
    rows: dict[Key, list[int]] = {}
    for row, value in enumerate(values.tolist()):
        rows.setdefault(normalise(value), []).append(row)
    if len(rows) == 1:
        return [(next(iter(rows)), batch)]
    return [(key, batch.take(np.asarray(index, dtype=np.int64))) for key, index in rows.items()]


def item_nbytes(item: object) -> int:
    """Estimate an item's size in memory, bytes."""
    kind = type(item)
    if kind in _FIXED:
        return 32
    if kind is str or kind is bytes or kind is bytearray:
        return 56 + len(item)  # type: ignore[arg-type]  # one of these three
    size = getattr(item, "nbytes", None)
    if isinstance(size, int):
        return size
    return _contained(item, _DEPTH)


_FIXED = frozenset({int, float, bool, complex, type(None)})
_DEPTH = 3  # how far down a container is looked into
_SAMPLE = 64  # how many of its parts are looked at


def _contained(item: Any, depth: int) -> int:  # items of every type
    """Estimate the size of a container or object from its first parts."""
    if isinstance(item, Mapping):
        parts: Iterable[Any] = item.values()
        count = len(item)
    elif isinstance(item, (list, tuple, set, frozenset)):
        parts, count = item, len(item)
    else:
        held = _held(item)
        if not held:
            return 64
        parts, count = held, len(held)
    if not depth or not count:
        return 64 + 16 * count
    size = 0
    for part in islice(parts, _SAMPLE):
        kind = type(part)
        if kind in _FIXED:
            size += 32
        elif kind is str or kind is bytes:
            size += 56 + len(part)
        else:
            own = getattr(part, "nbytes", None)
            size += own if isinstance(own, int) else _contained(part, depth - 1)
    return 64 + size * count // min(count, _SAMPLE)


def _held(item: object) -> list[Any]:
    """Give what the attributes of an object hold, those in slots too."""
    held = list(getattr(item, "__dict__", {}).values())
    return held + [getattr(item, name, None) for name in _slots(type(item))]  # type: ignore[arg-type]  # a type can be hashed


@functools.cache
def _slots(kind: type) -> tuple[str, ...]:
    names: list[str] = []
    for cls in kind.__mro__:
        own = cls.__dict__.get("__slots__", ())
        names += (own,) if isinstance(own, str) else own
    return tuple(name for name in names if name not in ("__dict__", "__weakref__"))


def row_times(batch: Batch) -> tuple[IntArray, IntArray]:
    """Give the event times of a batch's rows and their places in the source.

    Raises
    ------
    InputError
        If the batch has no column ``time``.
    """
    try:
        times = np.asarray(batch.column("time"), dtype=np.int64)
    except KeyError:
        raise _timeless(batch) from None
    try:
        return times, np.asarray(batch.column("sequence"), dtype=np.int64)
    except KeyError:
        return times, np.zeros(len(times), dtype=np.int64)


def item_time(item: Any) -> tuple[int, int]:  # items of every type
    """Give the event time of an item and its place in the source.

    Raises
    ------
    InputError
        If the item has no attribute ``time``.
    """
    try:
        return int(item.time), int(getattr(item, "sequence", 0))
    except (AttributeError, TypeError, ValueError):
        raise _timeless(item) from None


def _timeless(item: object) -> InputError:
    return InputError(
        f"{type(item).__name__} has no event time, which order='time' needs",
        fix="give it an int64 column or attribute 'time' (nanoseconds)",
    )
