"""Time on an axis: dates for catalogs, minutes for the laboratory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from flowquake.records import NS_PER_DAY, NS_PER_MINUTE, NS_PER_SECOND, to_datetime

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class TimeAxis:
    """How times of one time scale are drawn.

    Attributes
    ----------
    timescale : str
        ``"utc"`` or ``"elapsed"``.
    """

    timescale: str

    @property
    def unit_ns(self) -> int:
        """Give the unit of the axis, nanoseconds: a day or a minute."""
        return NS_PER_DAY if self.timescale == "utc" else NS_PER_MINUTE

    @property
    def unit(self) -> str:
        """Name the unit of the axis."""
        return "day" if self.timescale == "utc" else "minute"

    def place(self, time: int) -> float:
        """Give the coordinate of a time."""
        return time / self.unit_ns

    def places(self, times: npt.ArrayLike) -> FloatArray:
        """Give the coordinates of times."""
        return np.asarray(times, dtype=np.int64) / self.unit_ns

    def dress(self, axes: Axes, *, vertical: bool = False, label: str | None = None) -> None:
        """Put dates or minutes on an axis, with its label."""
        from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

        axis: Axis = axes.yaxis if vertical else axes.xaxis
        name = label or "Time"
        if self.timescale == "utc":
            locator = AutoDateLocator(minticks=3, maxticks=8)  # type: ignore[no-untyped-call]  # untyped there
            axis.set_major_locator(locator)
            axis.set_major_formatter(
                ConciseDateFormatter(locator, offset_formats=_OFFSETS)  # type: ignore[no-untyped-call]  # untyped there
            )
            axis.set_label_text(f"{name} (UTC)")
        else:
            axis.set_label_text(f"{name} (minutes since the start of the experiment)")

    def span(self, axes: Axes, start: int, end: int) -> None:
        """Set the horizontal range, at least two seconds wide."""
        room = max(0, 2 * NS_PER_SECOND - (end - start)) // 2
        axes.set_xlim(self.place(start - room), self.place(end + room))

    def text(self, time: int, *, precision_ns: int | None = None) -> str:
        """Write a time for a legend, no finer than it makes sense.

        Examples
        --------
        >>> TimeAxis("utc").text(1318240800000000000)
        '2011-10-10 10:00'
        >>> TimeAxis("elapsed").text(90_000_000_000)
        '1.500 min'
        """
        if self.timescale == "elapsed":
            return f"{time / NS_PER_MINUTE:.3f} min"
        if not _FIRST_DATE <= time <= _LAST_DATE:
            return "beyond the calendar"
        moment = to_datetime(time)
        if precision_ns is not None and precision_ns >= 3 * NS_PER_DAY:
            return f"{moment:%Y-%m-%d}"
        if precision_ns is not None and precision_ns < 60 * NS_PER_SECOND:
            return f"{moment:%Y-%m-%d %H:%M:%S}"
        return f"{moment:%Y-%m-%d %H:%M}"


# Years, months, days, hours, minutes, seconds: what the ticks leave out.
_OFFSETS = ["", "%Y", "%Y", "%Y-%b-%d", "%Y-%b-%d", "%Y-%b-%d %H:%M"]
_FIRST_DATE = -9_000_000_000_000_000_000
_LAST_DATE = 9_000_000_000_000_000_000
