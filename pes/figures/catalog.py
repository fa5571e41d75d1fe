"""Figures of a catalog: magnitudes against time, and how many of each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from flowquake.pes.figures.canvas import (
    ACCENT,
    DATA,
    INK,
    MODEL_COLOURS,
    QUIET,
    log_numbers,
    new_figure,
    styled,
)
from flowquake.pes.figures.time_axis import TimeAxis
from flowquake.pes.magnitudes import binned_b
from flowquake.pes.magnitudes.b_values import BEstimate
from flowquake.pes.magnitudes.binning import DEFAULT_WIDTH, cutoff_bin, known_bins
from flowquake.records import EventBatch, FloatArray, IntArray, Window

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_RASTER_FROM = 5000


@styled
def plot_magnitude_time(
    catalog: EventBatch | Window, *, mc: float | None = None, title: str | None = None
) -> Figure:
    """Draw magnitude against time, with the largest event named.

    Parameters
    ----------
    catalog : EventBatch or Window
        The events; those without a magnitude are marked along the axis.
    mc : float, optional
        Completeness magnitude, drawn as a line; by default the window's own.
    title : str, optional
        By default the source.

    Returns
    -------
    Figure
    """
    events = _events(catalog)
    if mc is None and isinstance(catalog, Window):
        mc = catalog.completeness_magnitude
    axis = TimeAxis(events.timescale)
    figure, (axes,) = new_figure(height=3.4)
    axes.set_title(title or events.source)
    axes.set_ylabel("Magnitude" if events.timescale == "utc" else "AE size")
    axis.dress(axes)
    known = np.isfinite(events.magnitude)
    if not known.any():
        _say(axes, "no events with a magnitude" if len(events) else "no events")
    else:
        sizes = events.magnitude[known]
        axes.scatter(
            axis.places(events.time[known]),
            sizes,
            s=_areas(sizes),
            color=MODEL_COLOURS["exponential"],
            alpha=0.45 if len(sizes) < _RASTER_FROM else 0.25,
            linewidths=0,
            rasterized=len(sizes) >= _RASTER_FROM,
            label=f"{len(sizes):,} events",
            zorder=2,
        )
        _name_largest(axes, axis, events.time[known], sizes)
    if not known.all():
        axes.plot(
            axis.places(events.time[~known]),
            np.zeros(int((~known).sum())),
            "|",
            color=QUIET,
            markersize=7,
            transform=axes.get_xaxis_transform(),
            clip_on=False,
            label=f"{int((~known).sum()):,} without a magnitude",
        )
    if mc is not None:
        axes.axhline(mc, color=ACCENT, linestyle="--", linewidth=1.2, label=f"cutoff {mc:g}")
    if len(events):
        axes.legend(loc="upper left", ncols=3, borderaxespad=0.1)
        axes.margins(y=0.16)
    return figure


@styled
def plot_frequency_magnitude(
    catalog: EventBatch | Window,
    *,
    mc: float | None = None,
    b: BEstimate | None = None,
    width: float = DEFAULT_WIDTH,
    title: str | None = None,
) -> Figure:
    """Draw how many events there are of each magnitude, and at or above it.

    Parameters
    ----------
    catalog : EventBatch or Window
        The events, not cut at `mc`, so that the missing small ones show.
    mc : float, optional
        Completeness magnitude; by default the window's own.
    b : BEstimate, optional
        The Gutenberg-Richter line above `mc`; by default the exact binned
        estimate.
    width : float, default 0.1
        Width of a magnitude bin.
    title : str, optional
        By default the source.

    Returns
    -------
    Figure
    """
    events = _events(catalog)
    if mc is None and isinstance(catalog, Window):
        mc = catalog.completeness_magnitude
    figure, (axes,) = new_figure(width=5.4, height=4.2)
    axes.set_title(title or events.source)
    axes.set_xlabel("Magnitude" if events.timescale == "utc" else "AE size")
    axes.set_ylabel("Number of events")
    bins = known_bins(events.magnitude, width)
    if bins.size == 0:
        _say(axes, "no events with a magnitude")
        return figure
    grid, counts = _histogram(bins)
    places = grid * width
    log_numbers(axes)
    above = counts[::-1].cumsum()[::-1]
    axes.plot(places, above, "o", color=DATA, markersize=4.2, label="at or above", zorder=3)
    some = counts > 0
    axes.plot(
        places[some],
        counts[some],
        "s",
        markerfacecolor="white",
        markeredgecolor=QUIET,
        markersize=4,
        label=f"in each bin of {width:g}",
        zorder=2,
    )
    if mc is not None:
        _draw_law(axes, events.magnitude, bins, mc, width, b)
    axes.set_ylim(0.7, above[0] * 2.5)
    axes.legend(loc="upper right")
    return figure


def _draw_law(
    axes: Axes,
    magnitudes: FloatArray,
    bins: IntArray,
    mc: float,
    width: float,
    b: BEstimate | None,
) -> None:
    axes.axvline(mc, color=ACCENT, linestyle="--", linewidth=1.2, label=f"Mc {mc:g}")
    estimate = binned_b(magnitudes, mc=mc, width=width) if b is None else b
    lowest = cutoff_bin(mc, width)
    number = int((bins >= lowest).sum())
    if estimate.b is None or number == 0:
        return
    top = max(int(bins.max()), lowest) * width
    ends = np.array([lowest * width, top])
    error = "" if estimate.uncertainty is None else f" ± {estimate.uncertainty:.2f}"
    axes.plot(
        ends,
        number * 10.0 ** (-estimate.b * (ends - lowest * width)),
        color=MODEL_COLOURS["hyperbolic"],
        label=f"b {estimate.b:.2f}{error}  (n {number:,})",
        zorder=4,
    )


def _histogram(bins: IntArray) -> tuple[IntArray, IntArray]:
    """Count each bin; the empty ones between too, unless the range is absurd."""
    values, counts = np.unique(bins, return_counts=True)
    if values[-1] - values[0] > 10_000:
        return values, counts.astype(np.int64)
    grid = np.arange(values[0], values[-1] + 1)
    full = np.zeros(grid.size, dtype=np.int64)
    full[values - values[0]] = counts
    return grid, full


def _events(catalog: EventBatch | Window) -> EventBatch:
    return catalog.events if isinstance(catalog, Window) else catalog


def _areas(magnitudes: FloatArray) -> FloatArray:
    """Give marker areas, points squared, that grow with magnitude."""
    lowest, highest = np.percentile(magnitudes, [5, 100])
    scale = (np.clip(magnitudes, lowest, highest) - lowest) / max(highest - lowest, 1e-9)
    areas: FloatArray = 5.0 + 75.0 * scale**3
    return areas


def _name_largest(axes: Axes, axis: TimeAxis, times: IntArray, magnitudes: FloatArray) -> None:
    largest = int(np.argmax(magnitudes))
    letter = "M " if axis.timescale == "utc" else ""
    axes.annotate(
        f"{letter}{magnitudes[largest]:.1f}",
        (axis.place(int(times[largest])), float(magnitudes[largest])),
        textcoords="offset points",
        xytext=(0, 7),
        ha="center",
        fontsize=8,
        color=INK,
    )


def _say(axes: Axes, text: str) -> None:
    axes.text(0.5, 0.5, text, transform=axes.transAxes, ha="center", va="center", color=QUIET)
