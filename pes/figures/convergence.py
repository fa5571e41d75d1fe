"""Does the forecast converge? Failure time against the day it was issued."""

from __future__ import annotations

from collections import Counter
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
from flowquake.pes.figures.failure_line import failure_name, is_given, off_axis
from flowquake.pes.figures.status_marks import MOST_MARKS, STATUS_MARKS, draw_statuses, thinned
from flowquake.pes.figures.time_axis import TimeAxis
from flowquake.records import FloatArray, Forecast

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

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
    line "failure on the day of issue" the failure would lie in the past.
    Forecasts without a failure time are marks along the foot, by status; in
    a panel of more than a hundred forecasts those in succession are a line.

    Parameters
    ----------
    forecasts : iterable of Forecast
        Of one source and key; of several revisions the highest is drawn.
    failure_time : int, optional
        When it really failed, or the failure that the models were fitted to,
        nanoseconds; drawn as a line.
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
    known = None
    if failure_time is not None:
        known = failure_name(failure_time, newest) + off_axis(failure_time, bottom, top)
    _legend(figure, newest, known)
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
    first, last = (min(f.issued for f in forecasts), max(f.issued for f in forecasts))
    margin = max(last - first, (top - bottom) // 4) // 25
    width = axis.place(last + margin) - axis.place(first - margin)
    dense = len(forecasts) > MOST_MARKS
    _draw_forecasts(axes, axis, forecasts, colour=colour, high=high, width=width, dense=dense)
    draw_statuses(axes, axis, forecasts, width=width, dense=dense)
    axis.span(axes, first - margin, last + margin)
    axes.set_ylim(low, high)
    axis.dress(axes, label="Forecast issued")
    axis.dress(axes, vertical=True, label="Forecast failure")
    axes.set_ylabel("Forecast failure" if axis.timescale == "utc" else "Forecast failure (min)")


def _draw_forecasts(
    axes: Axes,
    axis: TimeAxis,
    forecasts: Sequence[Forecast],
    *,
    colour: str,
    high: float,
    width: float,
    dense: bool,
) -> None:
    bars: list[tuple[float, float, float]] = []
    dots: dict[bool, list[tuple[float, float]]] = {False: [], True: []}
    above: list[float] = []
    for forecast in forecasts:
        if forecast.failure_time is None:
            continue
        x, y = axis.place(forecast.issued), axis.place(forecast.failure_time)
        if forecast.interval is not None:
            lower, upper = forecast.interval.lower, forecast.interval.upper
            bars.append(
                (
                    x,
                    min(x if lower is None else axis.place(lower), high),
                    min(high if upper is None else axis.place(upper), high),
                )
            )
        if y > high:
            above.append(x)
        else:
            dots[forecast.status != "not_adequate"].append((x, y))
    if bars:
        at, lowers, uppers = zip(*bars, strict=True)
        # As wide as the space between forecasts, so that their shades do not add up.
        line = max(0.3, min(1.3, 450.0 / len(forecasts))) if dense else 1.3
        faint = 0.4 if dense else 0.55
        axes.vlines(at, lowers, uppers, color=colour, linewidth=line, alpha=faint, zorder=2)
    open_above = [x for x, _, upper in bars if upper >= high]
    gap = width / MOST_MARKS if dense else 0.0
    for places, alpha in ((open_above, 0.55), (above, 1.0)):
        _arrows(axes, thinned(places, gap), colour, alpha=alpha)
    for adequate, places_of_dots in dots.items():
        if places_of_dots:
            _dots(axes, places_of_dots, colour, adequate=adequate, dense=dense)


def _dots(
    axes: Axes, dots: Sequence[tuple[float, float]], colour: str, *, adequate: bool, dense: bool
) -> None:
    x, y = zip(*dots, strict=True)
    inside = colour if adequate else "white"
    if not dense:
        axes.plot(
            x,
            y,
            "o",
            markersize=5,
            markerfacecolor=inside,
            markeredgecolor=colour,
            markeredgewidth=1.2,
            zorder=4,
        )
        return
    axes.plot(x, y, "o", markersize=3.2, markeredgewidth=0, color=colour, zorder=4)
    if not adequate:
        # On top of all the rims, so that open dots that touch stay open.
        axes.plot(x, y, "o", markersize=1.6, markeredgewidth=0, color=inside, zorder=4.1)


def _arrows(axes: Axes, places: FloatArray, colour: str, *, alpha: float) -> None:
    if not len(places):
        return
    axes.plot(
        places,
        np.full(len(places), 0.975),
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
    if failure_time is not None and failure_time <= last + 3 * span:
        top = max(top, failure_time)
    room = (top - first) // 20 + 1
    rows = 3 if max(Counter(f.model for f in forecasts).values()) > MOST_MARKS else 2
    return first - rows * room, top + room


def _legend(figure: Figure, forecasts: Sequence[Forecast], known: str | None) -> None:
    from matplotlib.lines import Line2D

    models = panel_models(forecasts)
    drawn = [f for f in forecasts if f.model in models]
    level = next((f.interval.level for f in drawn if f.interval is not None), None)
    dated = forecasts[0].timescale == "utc"
    today = "failure on the day of issue" if dated else "failure at the time of issue"
    handles = [Line2D([], [], color=QUIET, linestyle="--", label=today)]
    if known is not None:
        handles.append(Line2D([], [], color=ACCENT, label=known))
    if any(f.failure_time is not None and f.status != "not_adequate" for f in drawn):
        name = "fit to the given failure" if all(map(is_given, drawn)) else "forecast"
        if level is not None:
            name += f", {level:.0%} interval"
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
