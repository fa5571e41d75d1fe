"""Figures of one window with the models fitted to it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from flowquake.pes.figures.canvas import (
    DATA,
    FAINT,
    MODEL_COLOURS,
    MODEL_LINES,
    MODEL_NAMES,
    QUIET,
    new_figure,
    shade,
    styled,
)
from flowquake.pes.figures.curves import expected_events, expected_rate, failure_offset, unit_ns
from flowquake.pes.figures.failure_line import draw_failure, failure_name, is_given
from flowquake.pes.figures.time_axis import TimeAxis
from flowquake.records import FloatArray, Forecast, Window

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_STATUS_TEXT = {
    "too_few_events": "too few events",
    "no_acceleration": "no acceleration",
    "no_failure_time": "no failure time",
    "at_window_end": "failure at the window's end",
}


@styled
def plot_cumulative(
    window: Window,
    forecasts: Sequence[Forecast] = (),
    *,
    failure_time: int | None = None,
    title: str | None = None,
) -> Figure:
    """Draw the cumulative number of events with models and forecast failure.

    Parameters
    ----------
    window : Window
        The events that were fitted.
    forecasts : sequence of Forecast
        Models of this window; each is drawn as its expected number of
        events, with its failure time as a line and the interval shaded.
    failure_time : int, optional
        When it really failed, or the failure that the models were fitted to,
        nanoseconds; an arrow at the edge if it is far away.
    title : str, optional
        By default the source and key.

    Returns
    -------
    Figure
    """
    axis = TimeAxis(window.events.timescale)
    lines = len(forecasts) + (failure_time is not None)
    figure, (axes,) = new_figure(height=4.0 + 0.18 * lines)
    axes.set_title(title or _name(window))
    axes.set_ylabel("Cumulative number of events")
    axis.dress(axes)
    number = len(window.events)
    right = _right_end(window, forecasts, failure_time)
    times = np.sort(window.events.time)
    places = axis.places(np.concatenate([[window.start], times, [window.end]]))
    counts = np.concatenate([np.arange(number + 1), [number]])
    axes.step(places, counts, where="post", color=DATA, linewidth=2.2, zorder=3)
    axes.lines[-1].set_label(_counted(window))
    for forecast in _in_order(forecasts):
        _draw_model(axes, axis, window, forecast, right)
    _mark_data_end(axes, axis, window)
    _draw_known(axes, axis, window, forecasts, failure_time, right)
    axis.span(axes, window.start, right)
    axes.set_ylim(0, max(number, 1) * 1.25)
    figure.legend(loc="outside lower left")
    return figure


@styled
def plot_rate(
    window: Window,
    forecasts: Sequence[Forecast] = (),
    *,
    bins: int = 60,
    failure_time: int | None = None,
    title: str | None = None,
) -> Figure:
    """Draw the event rate as a histogram, with the rates of the models.

    Parameters
    ----------
    window : Window
        The events that were fitted.
    forecasts : sequence of Forecast
        Models of this window.
    bins : int, default 60
        Bars of equal length over the window.
    failure_time : int, optional
        When it really failed, or the failure that the models were fitted to,
        nanoseconds; an arrow at the edge if it is far away.
    title : str, optional
        By default the source and key.

    Returns
    -------
    Figure
    """
    axis = TimeAxis(window.events.timescale)
    figure, (axes,) = new_figure(height=3.4)
    axes.set_title(title or _name(window))
    axes.set_ylabel(f"Events per {axis.unit}")
    axis.dress(axes)
    span = max(window.end - window.start, 1)
    place = (window.events.time - window.start) / span * bins
    counts = np.bincount(np.clip(place.astype(np.int64), 0, bins - 1), minlength=bins)
    edges = axis.place(window.start) + np.arange(bins + 1) * (span / axis.unit_ns / bins)
    rates = counts / (span / axis.unit_ns / bins)
    axes.stairs(rates, edges, fill=True, color=FAINT, zorder=1)
    axes.stairs(rates, edges, color=QUIET, linewidth=0.7, zorder=1.5, label=_counted(window))
    for forecast in _in_order(forecasts):
        t = np.linspace(0.0, span / unit_ns(forecast), 1200)[:-1]
        rate = expected_rate(forecast, t)
        if rate is not None:
            axes.plot(
                _coordinates(axis, forecast, t),
                rate * (axis.unit_ns / unit_ns(forecast)),
                color=MODEL_COLOURS.get(forecast.model, QUIET),
                linestyle=MODEL_LINES.get(forecast.model, "-"),
                label=_model(forecast),
                zorder=2,
            )
    right = window.end
    if failure_time is not None and window.end < failure_time <= window.end + span // 2:
        right = failure_time + span // 25
        _mark_data_end(axes, axis, window)
    _draw_known(axes, axis, window, forecasts, failure_time, right)
    axis.span(axes, window.start, right)
    axes.set_ylim(0, max(float(rates.max(initial=0.0)), 1e-9) * 1.3)
    axes.legend(loc="upper left", ncols=2, borderaxespad=0.3)
    return figure


def _draw_model(axes: Axes, axis: TimeAxis, window: Window, forecast: Forecast, right: int) -> None:
    colour = MODEL_COLOURS.get(forecast.model, QUIET)
    line = MODEL_LINES.get(forecast.model, "-")
    unit = unit_ns(forecast)
    t = _model_times(forecast, (right - forecast.window_start) / unit)
    curve = expected_events(forecast, t)
    label = legend_text(forecast, axis)
    if curve is None:
        axes.plot([], [], color=colour, linestyle=line, label=label)
    else:
        axes.plot(
            _coordinates(axis, forecast, t),
            curve,
            color=colour,
            linestyle=line,
            label=label,
            zorder=4,
        )
    if forecast.failure_time is not None:
        axes.axvline(
            axis.place(forecast.failure_time), color=colour, linestyle=line, linewidth=1.2, zorder=2
        )
    interval = forecast.interval
    if interval is not None and forecast.failure_time is not None:
        lower = window.end if interval.lower is None else interval.lower
        upper = right if interval.upper is None else interval.upper
        shade(axes, axis.place(lower), axis.place(min(upper, right)), colour)


def _draw_known(
    axes: Axes,
    axis: TimeAxis,
    window: Window,
    forecasts: Sequence[Forecast],
    failure_time: int | None,
    right: int,
) -> None:
    if failure_time is not None:
        name = failure_name(failure_time, forecasts)
        draw_failure(axes, axis, failure_time, start=window.start, end=right, name=name)


def _mark_data_end(axes: Axes, axis: TimeAxis, window: Window) -> None:
    axes.axvline(axis.place(window.end), color=QUIET, linewidth=0.9, linestyle=":")
    axes.annotate(
        "data end",
        (axis.place(window.end), 0.99),
        xycoords=axes.get_xaxis_transform(),
        xytext=(-3, 0),
        textcoords="offset points",
        rotation=90,
        ha="right",
        va="top",
        fontsize=7.5,
        color=QUIET,
    )


def legend_text(forecast: Forecast, axis: TimeAxis) -> str:
    """Say in a line what a model forecasts.

    Parameters
    ----------
    forecast : Forecast
        One model.
    axis : TimeAxis
        Of its time scale.
    """
    name = _model(forecast)
    if forecast.failure_time is None:
        return f"{name}: {_STATUS_TEXT.get(forecast.status, forecast.status)}"
    doubt = ", fit not adequate" if forecast.status == "not_adequate" else ""
    if is_given(forecast):
        return f"{name}: fitted to the given failure{doubt}"
    interval = forecast.interval
    ends = [] if interval is None else [interval.lower, interval.upper]
    known = [end for end in ends if end is not None]
    precision = max(known) - min(known) if len(known) == 2 else None
    when = axis.text(forecast.failure_time, precision_ns=precision)
    text = f"{name}: fails {when}"
    if interval is not None:
        lower, upper = (
            "…" if end is None else axis.text(end, precision_ns=precision) for end in ends
        )
        text += f"  ({interval.level:.0%} interval: {lower} to {upper})"
    return text + doubt


def _model(forecast: Forecast) -> str:
    return MODEL_NAMES.get(forecast.model, forecast.model) + (
        " (least AIC)" if forecast.best_aic else ""
    )


def _model_times(forecast: Forecast, last: float) -> FloatArray:
    """Give times for a curve, dense towards the failure."""
    failure = failure_offset(forecast)
    even = np.linspace(0.0, last, 800)
    if failure is None or forecast.model in ("constant", "exponential"):
        return even
    toward = failure * (1.0 - np.geomspace(1.0, 1e-7, 1200))
    return np.union1d(even[even < failure], toward[toward <= last])


def _coordinates(axis: TimeAxis, forecast: Forecast, t: FloatArray) -> FloatArray:
    start = axis.place(forecast.window_start)
    return start + t * (unit_ns(forecast) / axis.unit_ns)


def _right_end(window: Window, forecasts: Sequence[Forecast], failure_time: int | None) -> int:
    """Give the end of the time axis: room for the failures, within reason."""
    span = max(window.end - window.start, 1)
    wanted = window.end + span // 12
    if failure_time is not None and failure_time <= window.end + span:
        wanted = max(wanted, failure_time + span // 25)
    for forecast in forecasts:
        ends = [forecast.failure_time]
        if forecast.interval is not None and forecast.failure_time is not None:
            ends.append(forecast.interval.upper)
        for end in ends:
            if end is not None:
                wanted = max(wanted, end + span // 25)
    return min(wanted, window.end + span)


def _in_order(forecasts: Sequence[Forecast]) -> list[Forecast]:
    order = list(MODEL_COLOURS)
    return sorted(forecasts, key=lambda f: order.index(f.model) if f.model in order else len(order))


def _counted(window: Window) -> str:
    text = f"{len(window.events):,} events"
    if window.completeness_magnitude is None:
        return text
    letter = "M" if window.events.timescale == "utc" else "AE size"
    return f"{text}, {letter} ≥ {window.completeness_magnitude:g}"


def _name(window: Window) -> str:
    return window.source if window.key is None else f"{window.source}, {window.key}"
