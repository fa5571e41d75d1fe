"""The failure that is known: observed, or given to the models."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from flowquake.pes.figures.canvas import ACCENT
from flowquake.pes.figures.time_axis import TimeAxis
from flowquake.records import Forecast, json_time

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def is_given(forecast: Forecast) -> bool:
    """Tell whether the model was fitted to a failure time that was given."""
    return forecast.settings.get("failure_time") is not None


def failure_name(failure_time: int, forecasts: Iterable[Forecast]) -> str:
    """Name a known failure: given if the models were fitted to it, else observed.

    Parameters
    ----------
    failure_time : int
        Nanoseconds.
    forecasts : iterable of Forecast
        That are drawn with it.
    """
    given = any(
        f.settings.get("failure_time") == json_time(failure_time, f.timescale)
        for f in forecasts
        if is_given(f)
    )
    return "given failure" if given else "observed failure"


def off_axis(time: int, start: int, end: int) -> str:
    """Say on which side of an axis a time lies; nothing if it is on the axis.

    Examples
    --------
    >>> off_axis(5, 0, 10), off_axis(11, 0, 10)
    ('', ', later than shown')
    """
    if time < start:
        return ", earlier than shown"
    return ", later than shown" if time > end else ""


def draw_failure(
    axes: Axes, axis: TimeAxis, failure_time: int, *, start: int, end: int, name: str
) -> None:
    """Draw a known failure on the horizontal axis, with its label.

    Parameters
    ----------
    axes : Axes
        Where.
    axis : TimeAxis
        Of its time scale.
    failure_time : int
        Nanoseconds; a time off the axis is an arrow at the edge.
    start, end : int
        The ends of the axis, nanoseconds.
    name : str
        ``observed failure`` or ``given failure``.
    """
    beyond = off_axis(failure_time, start, end)
    label = f"{name} {axis.text(failure_time)}{beyond}"
    if not beyond:
        axes.axvline(axis.place(failure_time), color=ACCENT, linewidth=1.4, label=label, zorder=2.5)
        return
    axes.plot(
        [1.0 if failure_time > end else 0.0],
        [0.5],
        ">" if failure_time > end else "<",
        color=ACCENT,
        markersize=8,
        transform=axes.transAxes,
        clip_on=False,
        label=label,
        zorder=5,
    )
