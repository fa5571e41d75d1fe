"""A window of events, and what is estimated from one."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar, cast

from flowquake.records.batch import Timescale
from flowquake.records.events import EventBatch
from flowquake.records.frozen import FrozenDict, freeze
from flowquake.records.times import days, json_time

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

    IS_FROZEN: ClassVar[bool] = True  # nothing in it can be changed

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
    def nbytes(self) -> int:
        """About the bytes it holds."""
        return self.events.nbytes + 256

    @property
    def duration_days(self) -> float:
        """Length, days."""
        return days(self.end - self.start)


class _Estimate:
    """What estimates from a window share: their JSON."""

    __slots__ = ()
    IS_FROZEN: ClassVar[bool] = True  # nothing in it can be changed

    def to_json(self) -> dict[str, Any]:
        """Give the estimate as a dictionary of JSON values; what does not exist is null."""
        values = {part.name: getattr(self, part.name) for part in fields(cast(Any, self))}
        values["time"] = json_time(values["time"], values["timescale"])
        finite = {k: v for k, v in values.items() if not isinstance(v, float) or math.isfinite(v)}
        return {name: finite.get(name) for name in values}

    def to_json_line(self) -> str:
        """Give the estimate as one line of JSON, the same bytes every time."""
        return json.dumps(
            self.to_json(), ensure_ascii=False, allow_nan=False, separators=(",", ":")
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Completeness(_Estimate):
    """A magnitude of completeness, estimated from one window.

    Parameters
    ----------
    source, key : str
        As in the window.
    time : int
        The window's end, nanoseconds.
    method : str
        ``maxc``, ``gft``, ``mbs``, or ``given`` for a magnitude that was chosen.
    mc : float or None
        The magnitude, with the correction; None if the method gives none.
    mc_uncorrected : float or None
        The same without it.
    correction : float
        What is added.
    events, events_above : int
        With a magnitude, and those of them at or above ``mc``.
    timescale : {"utc", "elapsed"}
        What ``time`` counts from.
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
    timescale: Timescale = "utc"


@dataclass(frozen=True, slots=True, kw_only=True)
class BValue(_Estimate):
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
    timescale : {"utc", "elapsed"}
        What ``time`` counts from.
    """

    source: str
    key: str | None
    time: int
    method: str
    b: float | None
    uncertainty: float | None
    mc: float | None
    events: int
    timescale: Timescale = "utc"
