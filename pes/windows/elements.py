"""Processing elements that cut windows as events come."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from dataclasses import field as entry
from datetime import datetime, timedelta

import numpy as np

from flowquake import Emissions, Input, Output, ProcessingElement, State
from flowquake.errors import ConfigError, InputError
from flowquake.pes.windows.cutting import (
    Rule,
    count_windows,
    expanding_rule,
    grid,
    sliding_rule,
    window_of,
)
from flowquake.records import EventBatch, Timescale, Window, json_time, to_ns
from flowquake.records.times import NS_PER_SECOND

Instant = datetime | int
Span = timedelta | int
MOST_WINDOWS = 10_000_000


@dataclass
class Seen:
    """The events of one source that may still be needed, and what was issued."""

    version: int = 1
    parts: list[EventBatch] = entry(default_factory=list)
    start: int | None = None
    last: int | None = None
    issued: int | None = None
    number: int = 0

    def add(self, batch: EventBatch) -> None:
        """Append events, which come in the order of (time, sequence)."""
        if len(batch):
            self.last = int(batch.time[-1])
        if self.parts and not len(self.parts[0]):
            self.parts.clear()
        if len(batch) or not self.parts:
            self.parts.append(batch)

    @property
    def events(self) -> EventBatch | None:
        """All of them in one batch; None before the first batch has come."""
        # Joined when they are asked for, so that many small batches cost no more than one.
        if len(self.parts) > 1:
            self.parts = [EventBatch.concat(self.parts)]
        return self.parts[0] if self.parts else None

    def drop(self, count: int) -> None:
        """Forget the earliest events."""
        events = self.events
        if events is not None and count > 0:
            # Copied, so that the rows before them are freed.
            self.parts = [events.take(np.arange(count, len(events)))]


class _GridWindows(ProcessingElement):
    """What expanding and sliding windows share: events in, windows due on a grid."""

    events = Input(EventBatch, by="source", order="time")
    window = Output(Window)
    state = State(Seen)

    start: Instant | None = None
    end: Instant | None = None
    partial: bool = False

    def __post_init__(self) -> None:
        if self.start is not None and self.end is not None and to_ns(self.end) <= to_ns(self.start):
            raise ConfigError(
                f"end={self.end} is not after start={self.start}",
                fix="give an end that is later than the start",
            )
        if self.start is not None and self.end is not None:
            self._refuse_too_many(to_ns(self.start), to_ns(self.end))

    def _span(self) -> int | None:
        """Give the nanoseconds from one window to the next; None if there is only one."""
        raise NotImplementedError

    def _refuse_too_many(self, after: int, until: int) -> None:
        step = self._span()
        if step is None:
            return
        due = (until - after) // step
        if due > MOST_WINDOWS:
            raise ConfigError(
                f"a step of {step / NS_PER_SECOND:g} s gives {due:,} windows",
                fix=f"give a larger step; at most {MOST_WINDOWS:,} are cut at a time",
            )

    def on_events(self, batch: EventBatch) -> None:
        seen = self.state
        if seen.start is None:
            if self.start is not None:
                seen.start = to_ns(self.start)
            elif len(batch):
                seen.start = int(batch.time[0])
        if seen.start is not None:
            batch = self._inside(batch, seen.start)
        seen.add(batch)

    def on_watermark(self, time: int) -> Emissions:
        seen = self.state
        if seen.start is not None:
            yield from self._issue(seen.start, time)

    def finish(self) -> Emissions:
        seen = self.state
        if not self.partial:
            return
        end = self._end()
        if seen.start is None or (end is not None and end <= seen.start):
            raise InputError(
                f"no event of {self.key!r} is left to begin a window with",
                fix="widen the selection, or give both start and end",
            )
        if end is None and seen.last is None:
            raise InputError(
                f"no event of {self.key!r} is left at or after the start, {self._when(seen.start)}",
                fix="give an earlier start, or an end too",
            )
        last = seen.start if seen.last is None else seen.last + 1
        yield from self._issue(seen.start, last if end is None else end, over=True)

    def _issue(self, start: int, until: int, *, over: bool = False) -> Emissions:
        seen = self.state
        end = self._end()
        last = until if end is None else min(until, end)
        self._refuse_too_many(start if seen.issued is None else seen.issued, last)
        for begin, due, final in self._due(start, seen.issued, until, over=over):
            number, seen.number, seen.issued = seen.number, seen.number + 1, due
            events = seen.events
            if events is None:
                events = EventBatch(source=self.key_as(str), time=[])
            if end is not None:
                self.progress(due - start, end - start)
            rule = self._rule(events.timescale)
            yield self.window(window_of(events, begin, due, rule, number=number, final=final))

    def _when(self, time: int) -> str:
        events = self.state.events
        return str(time if events is None else json_time(time, events.timescale))

    def _due(
        self, start: int, issued: int | None, until: int, *, over: bool
    ) -> Iterator[tuple[int, int, bool]]:
        """Give (begin, end, whether it is the last) of the windows due by a time."""
        raise NotImplementedError

    def _rule(self, timescale: Timescale) -> Rule:
        raise NotImplementedError

    def _start(self) -> int | None:
        return None if self.start is None else to_ns(self.start)

    def _end(self) -> int | None:
        return None if self.end is None else to_ns(self.end)

    def _inside(self, batch: EventBatch, start: int) -> EventBatch:
        end = self._end()
        early = batch.time < start
        late = batch.time >= end if end is not None else early & False
        if before := int(early.sum()):
            self.count("before the start", before)
        if after := int(late.sum()):
            self.count("at or after the end", after)
        return batch.where(~(early | late)) if before or after else batch


class ExpandingWindows(_GridWindows):
    """Windows that begin at one time and grow step by step.

    A window is given as soon as the watermark says that its events have all
    come; each knows only its past. Ends are at start + step, start + 2 step, …
    and at `end`.

    Parameters
    ----------
    start : datetime or int, optional
        Where the windows begin (int: nanoseconds); default the first event.
    end : datetime or int, optional
        The end of the last one. Without it the last ends just after (1 ns)
        the last event, once the input has ended and if `partial` is set.
    step : timedelta or int, optional
        From one end to the next (int: nanoseconds); without it there is one
        window, at the end.
    partial : bool, default False
        Also give, when the input ends, the windows that are due although no
        watermark says so, the last one among them.

    Raises
    ------
    ConfigError
        If `end` is not after `start`, or `step` is not positive.
    InputError
        With `partial`: if the input ends and nothing says where to begin.
    """

    step: Span | None = None

    def __post_init__(self) -> None:
        if self.step is not None:
            _positive("step", self.step)
        super().__post_init__()

    def _span(self) -> int | None:
        return None if self.step is None else _ns(self.step)

    def _due(
        self, start: int, issued: int | None, until: int, *, over: bool
    ) -> Iterator[tuple[int, int, bool]]:
        step = None if self.step is None else _ns(self.step)
        end = self._end()
        if end is None and over:
            end = until
        after = start if issued is None else issued
        for due in grid(start, step, end, after, until):
            yield start, due, due == end

    def _rule(self, timescale: Timescale) -> Rule:
        return expanding_rule(self._start(), timescale)


class SlidingWindows(_GridWindows):
    """Windows of one length that move step by step.

    Parameters
    ----------
    length : timedelta or int
        Length of each window (int: nanoseconds).
    step : timedelta or int
        From one window to the next (int: nanoseconds).
    start : datetime or int, optional
        Beginning of the first window; default the first event.
    end : datetime or int, optional
        No window ends after it.
    partial : bool, default False
        Also give, when the input ends, the windows that end by `end`, or by
        the last event, although no watermark says so.

    Raises
    ------
    ConfigError
        If `end` is not after `start`, or a span is not positive.
    """

    length: Span
    step: Span

    def __post_init__(self) -> None:
        _positive("length", self.length)
        _positive("step", self.step)
        super().__post_init__()

    def _span(self) -> int | None:
        return _ns(self.step)

    def on_watermark(self, time: int) -> Emissions:
        seen = self.state
        before = seen.issued
        yield from super().on_watermark(time)
        if seen.issued is not None and seen.issued != before and seen.events is not None:
            needed = seen.issued + _ns(self.step) - _ns(self.length)
            first = int(seen.events.time.searchsorted(needed))
            if 2 * first > len(seen.events):
                seen.drop(first)

    def _due(
        self, start: int, issued: int | None, until: int, *, over: bool
    ) -> Iterator[tuple[int, int, bool]]:
        length, step, end = _ns(self.length), _ns(self.step), self._end()
        origin = start + length - step
        until = until if end is None else min(until, end)
        for due in grid(origin, step, None, origin if issued is None else issued, until):
            yield due - length, due, end is not None and due + step > end

    def _rule(self, timescale: Timescale) -> Rule:
        return sliding_rule(self._start(), timescale, _ns(self.length))


class CountWindows(ProcessingElement):
    """Windows of equal numbers of events.

    Parameters
    ----------
    size : int
        Events in each window.
    step : int, optional
        Events between the beginnings of two windows; default `size`.

    Raises
    ------
    ConfigError
        If a number is below 1, or `step` is above `size`.
    """

    events = Input(EventBatch, by="source", order="time")
    window = Output(Window)
    state = State(Seen)

    size: int
    step: int | None = None

    def __post_init__(self) -> None:
        for name, value in (("size", self.size), ("step", self.step)):
            if value is not None and value < 1:
                raise ConfigError(f"{name}={value} must be at least 1", fix=f"{name}=100")
        if self.step is not None and self.step > self.size:
            raise ConfigError(
                f"step={self.step} is larger than size={self.size}: events would be left out",
                fix="give a step of at most the size",
            )

    def on_events(self, batch: EventBatch) -> Emissions:
        seen = self.state
        seen.add(batch)
        events = seen.events
        if events is None:
            return
        step = self.step or self.size
        made = 0
        for window in count_windows(events, count=self.size, step=step):
            yield self.window(replace(window, number=seen.number, final=False))
            seen.number += 1
            made += 1
        seen.drop(made * step)


def _ns(span: Span) -> int:
    if isinstance(span, timedelta):
        whole = span.days * 86400 + span.seconds
        return whole * NS_PER_SECOND + span.microseconds * 1000
    return span


def _positive(name: str, span: Span) -> None:
    if _ns(span) <= 0:
        raise ConfigError(f"{name}={span} must be positive", fix=f"{name}=timedelta(days=1)")
