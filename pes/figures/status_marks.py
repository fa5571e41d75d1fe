"""Forecasts without a failure time, as marks along the foot of a panel."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from flowquake.pes.figures.canvas import INK
from flowquake.pes.figures.time_axis import TimeAxis
from flowquake.records import FloatArray, Forecast

if TYPE_CHECKING:
    from matplotlib.axes import Axes

STATUS_MARKS = {
    "too_few_events": (".", "too few events"),
    "no_acceleration": ("|", "no acceleration"),
    "no_failure_time": ("^", "no failure time"),
    "at_window_end": ("x", "at the window's end"),
}
MOST_MARKS = 100  # side by side over the width of a panel
_THINNEST_SPAN = 1000
_MARKS_OF_A_SPAN = 40  # over the width, so that a span still tells its status


def thinned(places: npt.ArrayLike, gap: float) -> FloatArray:
    """Leave out places that follow the last one kept by less than a gap.

    Parameters
    ----------
    places : array_like, shape (n,)
        In ascending order.
    gap : float
        Least distance of those that stay.

    Returns
    -------
    ndarray, shape (m,)
        The first one always stays.

    Examples
    --------
    >>> thinned([0.0, 0.4, 1.0, 1.1, 3.0], 1.0).tolist()
    [0.0, 1.0, 3.0]
    """
    kept: list[float] = []
    for place in np.asarray(places, dtype=np.float64).tolist():
        if not kept or place - kept[-1] >= gap:
            kept.append(place)
    return np.array(kept, dtype=np.float64)


def draw_statuses(
    axes: Axes, axis: TimeAxis, forecasts: Sequence[Forecast], *, width: float, dense: bool
) -> None:
    """Mark forecasts without a failure time by status.

    Parameters
    ----------
    axes : Axes
        Where.
    axis : TimeAxis
        Of their time scale.
    forecasts : sequence of Forecast
        All of one model, by time of issue.
    width : float
        Of the panel, in the axis's unit.
    dense : bool
        Each status has a row of its own, where forecasts in succession are a
        line with a few marks; else each forecast has its mark, all in one row.
    """
    foot = axes.get_xaxis_transform()
    runs = [
        (status, [axis.place(f.issued) for f in run])
        for status, run in groupby(forecasts, key=_status)
    ]
    present = [status for status in STATUS_MARKS if any(status == s for s, _ in runs)]
    for row, status in enumerate(present):
        mine = [places for s, places in runs if s == status]
        height = 0.022 + 0.03 * row if dense else 0.035
        places = np.concatenate(mine)
        if dense:
            edge = width / _THINNEST_SPAN  # so that one forecast alone is seen too
            axes.hlines(
                [height] * len(mine),
                [run[0] - edge for run in mine],
                [run[-1] + edge for run in mine],
                color=INK,
                linewidth=0.8,
                transform=foot,
                zorder=5,
            )
            places = thinned(places, width / _MARKS_OF_A_SPAN)
        axes.plot(
            places,
            np.full(len(places), height),
            STATUS_MARKS[status][0],
            color=INK,
            markersize=3.6 if dense else 5,
            markeredgewidth=0.8 if dense else 1.0,
            transform=foot,
            zorder=5,
        )


def _status(forecast: Forecast) -> str:
    return forecast.status if forecast.failure_time is None else ""
