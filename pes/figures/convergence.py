"""Does the forecast converge? Failure time against the day it was issued."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from flowquake.pes.figures.canvas import (
    ACCENT,
    FAINT,
    INK,
    MODEL_COLOURS,
    MODEL_NAMES,
    QUIET,
    new_figure,
    styled,
)
from flowquake.pes.figures.time_axis import TimeAxis
from flowquake.records import Forecast

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Statuses without a failure time, as marks along the foot of the panel.
STATUS_MARKS = {
    "too_few_events": (".", "too few events"),
    "no_acceleration": ("|", "no acceleration"),
    "no_failure_time": ("^", "no failure time"),
    "at_window_end": ("x", "at the window's end"),
}
_FORECASTING = ("hyperbolic", "inverse_omori")


def latest_revisions(forecasts: Iterable[Forecast]) -> list[Forecast]:
    """Give each forecast once, with its highest revision, by time of issue.

    Parameters
    ----------
    forecasts : iterable of Forecast
        In any order.
    """
    newest: dict[str, Forecast] = {}
    for forecast in forecasts:
        known = newest.get(forecast.id)
        if known is None or forecast.revision > known.revision:
            newest[forecast.id] = forecast
    return sorted(newest.values(), key=lambda f: (f.issued, f.model, f.id))


@styled
def plot_convergence(
    forecasts: Iterable[Forecast],
    *,
    failure_time: int | None = None,
    title: str | None = None,
) -> Figure:
    """Draw the forecast failure time against the time it was issued.

    One panel for each model that can forecast a failure time. Filled dots
    are forecasts with their intervals, open ones fits that are not adequate,
    arrows failure times or intervals that leave the panel. Below the dashed
    line "issued = failure" the failure would lie in the past. Forecasts
    without a failure time are marks along the foot, by status.

    Parameters
    ----------
    forecasts : iterable of Forecast
        Of one source and key; of several revisions the highest is drawn.
    failure_time : int, optional
        When it really failed, nanoseconds; drawn as a line.
    title : str, optional
        By default the source and key.

    Returns
    -------
    Figure
    """
    newest = latest_revisions(forecasts)
    models = panel_models(newest)
    axis = TimeAxis(newest[0].timescale if newest else "utc")
    rows = max(len(models), 1)
    figure, panels = new_figure(rows, height=1.3 + 2.6 * rows)
    panels[0].set_title(title or (_name(newest[0]) if newest else "no forecasts"))
    if not newest:
        return figure
    bottom, top = _range(newest, failure_time)
    for axes, model in zip(panels, models, strict=True):
        _draw_panel(axes, axis, [f for f in newest if f.model == model], bottom, top, failure_time)
        axes.set_title(
            MODEL_NAMES.get(model, model),
            loc="right",
            fontsize=9.5,
            color=MODEL_COLOURS.get(model, INK),
        )
    for axes in panels[:-1]:
        axes.set_xlabel("")
    _legend(figure, panels, newest)
    return figure


def panel_models(forecasts: Sequence[Forecast]) -> list[str]:
    """Give the models to draw: those that can forecast, else all there are.

    Parameters
    ----------
    forecasts : sequence of Forecast
        Of any models.
    """
    present = sorted(
        {f.model for f in forecasts},
        key=lambda m: list(MODEL_COLOURS).index(m) if m in MODEL_COLOURS else len(MODEL_COLOURS),
    )
    telling = {f.model for f in forecasts if f.failure_time is not None}
    return [m for m in present if m in _FORECASTING or m in telling] or present


def _draw_panel(
    axes: Axes,
    axis: TimeAxis,
    forecasts: Sequence[Forecast],
    bottom: int,
    top: int,
    failure_time: int | None,
) -> None:
    colour = MODEL_COLOURS.get(forecasts[0].model, INK) if forecasts else INK
    low, high = axis.place(bottom), axis.place(top)
    ends = [low, high]
    axes.fill_between(ends, [low, low], ends, color=FAINT, alpha=0.55, linewidth=0, zorder=0.2)
    axes.plot(ends, ends, color=QUIET, linestyle="--", linewidth=1.1, zorder=1)
    if failure_time is not None:
        axes.axhline(axis.place(failure_time), color=ACCENT, linewidth=1.4, zorder=1.5)
    for forecast in forecasts:
        if forecast.failure_time is not None:
            _draw_forecast(axes, axis, forecast, colour, high)
    for status, (mark, _) in STATUS_MARKS.items():
        issued = [f.issued for f in forecasts if f.status == status and f.failure_time is None]
        axes.plot(
            axis.places(issued),
            np.full(len(issued), 0.035),
            mark,
            color=INK,
            markersize=5,
            markeredgewidth=1.0,
            transform=axes.get_xaxis_transform(),
            zorder=5,
        )
    first, last = (min(f.issued for f in forecasts), max(f.issued for f in forecasts))
    margin = max(last - first, (top - bottom) // 4) // 25
    axis.span(axes, first - margin, last + margin)
    axes.set_ylim(low, high)
    axis.dress(axes, label="Forecast issued")
    axis.dress(axes, vertical=True, label="Forecast failure")
    axes.set_ylabel("Forecast failure" if axis.timescale == "utc" else "Forecast failure (min)")


def _draw_forecast(
    axes: Axes, axis: TimeAxis, forecast: Forecast, colour: str, high: float
) -> None:
    if forecast.failure_time is None:
        return
    x, y = axis.place(forecast.issued), axis.place(forecast.failure_time)
    if forecast.interval is not None:
        lower = x if forecast.interval.lower is None else axis.place(forecast.interval.lower)
        upper = high if forecast.interval.upper is None else axis.place(forecast.interval.upper)
        axes.plot(
            [x, x],
            [min(lower, high), min(upper, high)],
            color=colour,
            linewidth=1.3,
            alpha=0.55,
            solid_capstyle="butt",
            zorder=2,
        )
        if upper >= high:
            _arrow(axes, x, colour, alpha=0.55)
    if y > high:
        _arrow(axes, x, colour, alpha=1.0)
        return
    adequate = forecast.status != "not_adequate"
    axes.plot(
        [x],
        [y],
        "o",
        markersize=5,
        markerfacecolor=colour if adequate else "white",
        markeredgecolor=colour,
        markeredgewidth=1.2,
        zorder=4,
    )


def _arrow(axes: Axes, x: float, colour: str, *, alpha: float) -> None:
    axes.plot(
        [x],
        [0.975],
        "^",
        color=colour,
        alpha=alpha,
        markersize=5,
        markeredgewidth=0,
        transform=axes.get_xaxis_transform(),
        zorder=3,
    )


def _range(forecasts: Sequence[Forecast], failure_time: int | None) -> tuple[int, int]:
    """Give the range of failure times to show, so that far ones do not press the rest flat."""
    first = min(f.issued for f in forecasts)
    last = max(f.issued for f in forecasts)
    span = max(last - first, (last - min(f.window_start for f in forecasts)) // 4, 1)
    wanted = [last]
    for forecast in forecasts:
        if forecast.failure_time is not None:
            wanted.append(forecast.failure_time)
            if forecast.interval is not None and forecast.interval.upper is not None:
                wanted.append(forecast.interval.upper)
    top = min(max(wanted), last + span)
    if failure_time is not None:
        top = max(top, min(failure_time, last + 3 * span))
    room = (top - first) // 20 + 1
    return first - 2 * room, top + room


def _legend(figure: Figure, panels: Sequence[Axes], forecasts: Sequence[Forecast]) -> None:
    from matplotlib.lines import Line2D

    models = panel_models(forecasts)
    drawn = [f for f in forecasts if f.model in models]
    level = next((f.interval.level for f in drawn if f.interval is not None), None)
    handles = [Line2D([], [], color=QUIET, linestyle="--", label="issued = failure")]
    if panels[0].lines and any(line.get_color() == ACCENT for line in panels[0].lines):
        handles.append(Line2D([], [], color=ACCENT, label="failure"))
    if any(f.failure_time is not None and f.status != "not_adequate" for f in drawn):
        name = "forecast" if level is None else f"forecast, {level:.0%} interval"
        handles.append(Line2D([], [], color=INK, marker="o", markersize=5, label=name))
    if any(f.status == "not_adequate" for f in drawn):
        handles.append(
            Line2D(
                [],
                [],
                color=INK,
                marker="o",
                markersize=5,
                markerfacecolor="white",
                label="fit not adequate",
            )
        )
    present = {f.status for f in drawn if f.failure_time is None}
    handles += [
        Line2D([], [], color=INK, marker=mark, linestyle="", markersize=5, label=text)
        for status, (mark, text) in STATUS_MARKS.items()
        if status in present
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=4)


def _name(forecast: Forecast) -> str:
    return forecast.source if forecast.key is None else f"{forecast.source}, {forecast.key}"
