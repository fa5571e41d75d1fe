"""Cutting a time-sorted catalog into windows."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from flowquake.records import EventBatch, Window


def cut(events: EventBatch, start: int, end: int) -> EventBatch:
    """Give the events in [start, end) as a view.

    Parameters
    ----------
    events : EventBatch
        Sorted by time.
    start, end : int
        Nanoseconds.

    Examples
    --------
    >>> len(cut(EventBatch(source="etna", time=[0, 10, 20]), 0, 20))
    2
    """
    first, last = np.searchsorted(events.time, [start, end], side="left")
    return events.take(slice(int(first), int(last)))


def grid(start: int, step: int | None, end: int | None, after: int, until: int) -> Iterator[int]:
    """Give the window ends that fall due in (after, until].

    Ends are at start + step, start + 2 step, … before `end`, and at `end`.

    Parameters
    ----------
    start : int
        Origin of the grid, nanoseconds.
    step : int or None
        Nanoseconds; None for no ends but the last.
    end : int or None
        The last one; None if there is none.
    after, until : int
        The span asked for.

    Examples
    --------
    >>> list(grid(0, 10, 25, after=0, until=100))
    [10, 20, 25]
    """
    if step is not None:
        number = max(1, (after - start) // step + 1)
        while (due := start + number * step) <= until and (end is None or due < end):
            yield due
            number += 1
    if end is not None and after < end <= until:
        yield end


def expanding_windows(
    events: EventBatch, *, start: int, end: int, step: int | None = None
) -> Iterator[Window]:
    """Cut windows that begin at `start` and grow by `step`, the last ending at `end`.

    Parameters
    ----------
    events : EventBatch
        Of one source, sorted by (time, sequence).
    start, end : int
        Nanoseconds; events lie in [start, end).
    step : int, optional
        Nanoseconds; without it there is one window.

    Yields
    ------
    Window
        Each knows only what came before its end.
    """
    for number, due in enumerate(grid(start, step, end, start, end)):
        yield Window(
            source=events.source,
            key=None,
            start=start,
            end=due,
            events=cut(events, start, due),
            rule="expanding",
            number=number,
            final=due == end,
        )


def sliding_windows(
    events: EventBatch, *, start: int, end: int, length: int, step: int
) -> Iterator[Window]:
    """Cut windows of equal length, `step` apart, that lie in [start, end].

    Parameters
    ----------
    events : EventBatch
        Of one source, sorted by (time, sequence).
    start, end : int
        Nanoseconds.
    length, step : int
        Nanoseconds.

    Yields
    ------
    Window
        The first begins at `start`.
    """
    for number, begin in enumerate(range(start, end - length + 1, step)):
        yield Window(
            source=events.source,
            key=None,
            start=begin,
            end=begin + length,
            events=cut(events, begin, begin + length),
            rule="sliding",
            number=number,
            final=begin + step + length > end,
        )


def count_windows(events: EventBatch, *, count: int, step: int) -> Iterator[Window]:
    """Cut windows of equal numbers of events.

    Parameters
    ----------
    events : EventBatch
        Of one source, sorted by (time, sequence).
    count : int
        Events in each window.
    step : int
        Events between the beginnings of two windows.

    Yields
    ------
    Window
        From the time of its first event to just after (1 ns) its last.
    """
    for number, first in enumerate(range(0, len(events) - count + 1, step)):
        part = events.take(slice(first, first + count))
        yield Window(
            source=events.source,
            key=None,
            start=int(part.time[0]),
            end=int(part.time[-1]) + 1,
            events=part,
            rule="count",
            number=number,
            final=first + step + count > len(events),
        )
