"""Buffers that release rows in the order of event time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from flowquake.batches import is_batch, item_time, row_times


@dataclass(slots=True)
class _Held:
    """An item that waits, with the event times of its rows."""

    port: int
    item: Any  # items of every type
    times: npt.NDArray[np.int64]
    sequence: npt.NDArray[np.int64]
    rows: bool


@dataclass(slots=True)
class TimeBuffer:
    """Rows of one key that wait for the watermark, over all of its ports."""

    held: list[_Held] = field(default_factory=list)
    earliest: int | None = None

    def add(self, port: int, item: Any, released: int | None) -> Any:
        """Keep an item; give back its late rows, or None.

        Parameters
        ----------
        port : int
            The input's place in the declaration.
        item : object
            A batch, or one item with an event time.
        released : int or None
            The watermark that was acted on: earlier rows are late.
        """
        if is_batch(item):
            times, sequence = row_times(item)
            late = None
            if released is not None and len(times) and times.min() < released:
                late = item.take(np.flatnonzero(times < released))
                keep = np.flatnonzero(times >= released)
                item, times, sequence = item.take(keep), times[keep], sequence[keep]
            if len(times) or late is None:
                self._hold(_Held(port, item, times, sequence, rows=True))
            return late
        time, place = item_time(item)
        if released is not None and time < released:
            return item
        self._hold(_Held(port, item, np.array([time]), np.array([place]), rows=False))
        return None

    def _hold(self, held: _Held) -> None:
        self.held.append(held)
        if len(held.times):
            earliest = int(held.times.min())
            if self.earliest is None or earliest < self.earliest:
                self.earliest = earliest

    def release(self, before: int | None) -> Iterator[tuple[int, Any]]:
        """Give (port, item) in order of (event time, sequence, port, source).

        Parameters
        ----------
        before : int or None
            Only rows earlier than this; None for all that is left. Batches
            without rows are given first.
        """
        if not self.held:
            return
        if before is not None and (self.earliest is None or self.earliest >= before):
            empty = [h for h in self.held if not len(h.times)]
            if not empty:
                return
        held, self.held, self.earliest = self.held, [], None
        due: list[_Held] = []
        for one in held:
            if not len(one.times):
                yield one.port, one.item
                continue
            mask = None if before is None else one.times < before
            if mask is None or mask.all():
                due.append(one)
            elif not mask.any():
                self._hold(one)
            else:
                due.append(_part(one, np.flatnonzero(mask)))
                self._hold(_part(one, np.flatnonzero(~mask)))
        yield from _merged(due)


def _part(held: _Held, index: npt.NDArray[np.intp]) -> _Held:
    return _Held(
        held.port, held.item.take(index), held.times[index], held.sequence[index], rows=True
    )


def _merged(due: list[_Held]) -> Iterator[tuple[int, Any]]:
    """Give rows in order; those of one port, source and class that follow each other at once."""
    if not due:
        return
    kinds = [(h.port, str(getattr(h.item, "source", "")), type(h.item).__name__) for h in due]
    rank = {kind: place for place, kind in enumerate(sorted(set(kinds)))}
    sizes = [len(h.times) for h in due]
    times = np.concatenate([h.times for h in due])
    sequence = np.concatenate([h.sequence for h in due])
    # Rows alike in time and sequence have one order on every mapping: by
    # port, and by source.
    kind = np.repeat([rank[k] for k in kinds], sizes)
    order = np.lexsort((kind, sequence, times))
    rows = np.repeat([h.rows for h in due], sizes)[order]
    sorted_kind = kind[order]
    cuts = np.flatnonzero((sorted_kind[1:] != sorted_kind[:-1]) | ~rows[1:] | ~rows[:-1]) + 1
    starts = np.cumsum([0, *sizes])
    joined = {number: _joined(due, kinds, k, starts) for k, number in rank.items()}
    for run in np.split(order, cuts):
        first = int(run[0])
        owner = due[int(np.searchsorted(starts, first, side="right")) - 1]
        if not owner.rows:
            yield owner.port, owner.item
            continue
        whole, place = joined[int(kind[first])]
        yield owner.port, _taken(whole, place[run])


def _joined(
    due: list[_Held], kinds: list[tuple[int, str, str]], kind: tuple[int, str, str], starts: Any
) -> tuple[Any, npt.NDArray[np.int64]]:  # a batch of any class
    """Join the batches of one kind; say where each row of all rows is in the whole."""
    mine = [i for i, h in enumerate(due) if h.rows and kinds[i] == kind]
    place = np.full(int(starts[-1]), -1, dtype=np.int64)
    position = 0
    for i in mine:
        size = int(starts[i + 1] - starts[i])
        place[starts[i] : starts[i + 1]] = np.arange(position, position + size)
        position += size
    items = [due[i].item for i in mine]
    if not items:
        return None, place
    return (items[0] if len(items) == 1 else type(items[0]).concat(items)), place


def _taken(whole: Any, index: npt.NDArray[np.int64]) -> Any:  # a batch of any class
    low, size = int(index[0]), len(index)
    if not np.array_equal(index, np.arange(low, low + size)):
        return whole.take(index)
    return whole if size == len(whole) else whole.take(slice(low, low + size))
