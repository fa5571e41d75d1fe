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


def _by_source(due: list[_Held], sizes: list[int]) -> list[npt.NDArray[np.int64]]:
    """Rank the sources, so that rows alike in all else have one order on every mapping."""
    names = [str(getattr(h.item, "source", "")) for h in due]
    distinct = sorted(set(names))
    if len(distinct) == 1:
        return []
    rank = {name: place for place, name in enumerate(distinct)}
    return [np.repeat([rank[name] for name in names], sizes)]


def _merged(due: list[_Held]) -> Iterator[tuple[int, Any]]:
    if not due:
        return
    times = np.concatenate([h.times for h in due])
    sequence = np.concatenate([h.sequence for h in due])
    sizes = [len(h.times) for h in due]
    port = np.repeat([h.port for h in due], sizes)
    order = np.lexsort((*_by_source(due, sizes), port, sequence, times))
    # Rows of one port that follow each other leave as one batch.
    rows = np.repeat([h.rows for h in due], sizes)[order]
    ports = port[order]
    cuts = np.flatnonzero((ports[1:] != ports[:-1]) | ~rows[1:] | ~rows[:-1]) + 1
    starts = np.cumsum([0, *sizes])
    joined: dict[int, tuple[Any, npt.NDArray[np.int64]]] = {}
    for number in {h.port for h in due if h.rows}:
        mine = [i for i, h in enumerate(due) if h.port == number and h.rows]
        items = [due[i].item for i in mine]
        whole = items[0] if len(items) == 1 else type(items[0]).concat(items)
        place = np.full(len(times), -1, dtype=np.int64)
        position = 0
        for i in mine:
            place[starts[i] : starts[i + 1]] = np.arange(position, position + sizes[i])
            position += sizes[i]
        joined[number] = (whole, place)
    for run in np.split(order, cuts):
        first = int(run[0])
        number = int(port[first])
        owner = int(np.searchsorted(starts, first, side="right")) - 1
        if not due[owner].rows:
            yield number, due[owner].item
            continue
        whole, place = joined[number]
        index = place[run]
        if len(index) == len(whole) and np.array_equal(index, np.arange(len(index))):
            yield number, whole
        elif np.array_equal(index, np.arange(index[0], index[0] + len(index))):
            yield number, whole.take(slice(int(index[0]), int(index[0]) + len(index)))
        else:
            yield number, whole.take(index)
