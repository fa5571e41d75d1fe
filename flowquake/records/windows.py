"""A window of events, and what is estimated from one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from flowquake.records.events import EventBatch
from flowquake.records.frozen import FrozenDict, freeze
from flowquake.records.times import days

Json = None | bool | int | float | str | tuple["Json", ...] | list["Json"] | Mapping[str, "Json"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """The events of one source in [start, end), in the order of (time, sequence).

    Parameters
    ----------
    source : str
        What the events belong to.
    key : str, optional
        The part of the source, if it is divided.
    start, end : int
        The window that was observed, nanoseconds; ``end`` need not be an event.
    events : EventBatch
        Those in the window.
    rule : {"expanding", "sliding", "count"}
        How the window was cut.
    number : int
        Its place among the windows of its source and key, from 0.
    final : bool
        Whether it is the last one.
    completeness_magnitude : float, optional
        Of the events, where it is estimated.
    completeness_warning : bool
        Whether the events may be incomplete above it.
    settings : mapping, optional
        The choices that were made, for the forecasts' ``settings``.

    Raises
    ------
    ValueError
        If ``end`` is before ``start``.
    """

    source: str
    key: str | None
    start: int
    end: int
    events: EventBatch
    rule: str
    number: int
    final: bool
    completeness_magnitude: float | None = None
    completeness_warning: bool = False
    settings: Mapping[str, Json] = field(default_factory=FrozenDict)

    def __post_init__(self) -> None:
        if self.end < self.start:
            raise ValueError(f"the window ends ({self.end}) before it starts ({self.start})")
        object.__setattr__(self, "start", int(self.start))
        object.__setattr__(self, "end", int(self.end))
        object.__setattr__(self, "settings", freeze(self.settings))

    @property
    def time(self) -> int:
        """The event time of the window: its end."""
        return self.end

    @property
    def duration_days(self) -> float:
        """Length, days."""
        return days(self.end - self.start)


@dataclass(frozen=True, slots=True, kw_only=True)
class Completeness:
    """A magnitude of completeness, estimated from one window.

    Parameters
    ----------
    source, key : str
        As in the window.
    time : int
        The window's end, nanoseconds.
    method : str
        ``maxc``, ``gft`` or ``mbs``.
    mc : float or None
        The magnitude, with the correction; None if the method gives none.
    mc_uncorrected : float or None
        The same without it.
    correction : float
        What is added.
    events, events_above : int
        With a magnitude, and those of them at or above ``mc``.
    """

    source: str
    key: str | None
    time: int
    method: str
    mc: float | None
    mc_uncorrected: float | None
    correction: float
    events: int
    events_above: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BValue:
    """A b-value, estimated from one window.

    Parameters
    ----------
    source, key : str
        As in the window.
    time : int
        The window's end, nanoseconds.
    method : str
        The estimator.
    b, uncertainty : float or None
        The value and its standard error; None with too few events.
    mc : float or None
        The magnitude of completeness it holds above.
    events : int
        How many were used.
    """

    source: str
    key: str | None
    time: int
    method: str
    b: float | None
    uncertainty: float | None
    mc: float | None
    events: int
