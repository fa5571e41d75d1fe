"""Cutting a time-sorted catalog into windows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from flowquake.records import EventBatch, Json, Timescale, Window, json_time
from flowquake.records.times import NS_PER_SECOND

Rule = Mapping[str, Json]


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


def window_of(
    events: EventBatch, start: int, end: int, rule: Rule, *, number: int, final: bool
) -> Window:
    """Make the window of the events in [start, end), which remembers how it was cut."""
    return Window(
        source=events.source,
        key=None,
        start=start,
        end=end,
        events=cut(events, start, end),
        rule=str(rule["rule"]),
        number=number,
        final=final,
        settings={"window": rule},
    )


def expanding_rule(start: int | None, timescale: Timescale) -> Rule:
    """Write down how expanding windows are cut; no start is the first event's."""
    return {"rule": "expanding", "start": None if start is None else json_time(start, timescale)}


def sliding_rule(start: int | None, timescale: Timescale, length: int) -> Rule:
    """Write down how sliding windows are cut."""
    written = None if start is None else json_time(start, timescale)
    return {"rule": "sliding", "start": written, "length_s": length / NS_PER_SECOND}


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
    rule = expanding_rule(start, events.timescale)
    for number, due in enumerate(grid(start, step, end, start, end)):
        yield window_of(events, start, due, rule, number=number, final=due == end)


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
    rule = sliding_rule(start, events.timescale, length)
    for number, begin in enumerate(range(start, end - length + 1, step)):
        final = begin + step + length > end
        yield window_of(events, begin, begin + length, rule, number=number, final=final)


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
    rule: Rule = {"rule": "count", "size": count, "step": step}
    for number, first in enumerate(range(0, len(events) - count + 1, step)):
        part = events.take(slice(first, first + count))
        begin, end = int(part.time[0]), int(part.time[-1]) + 1
        final = first + step + count > len(events)
        yield window_of(part, begin, end, rule, number=number, final=final)
