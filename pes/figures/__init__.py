"""Figures of catalogs, fits and forecasts."""

from __future__ import annotations

from flowquake.pes.figures.canvas import save_figure
from flowquake.pes.figures.catalog import plot_frequency_magnitude, plot_magnitude_time
from flowquake.pes.figures.convergence import plot_convergence
from flowquake.pes.figures.curves import expected_events, expected_rate
from flowquake.pes.figures.elements import DrawForecasts
from flowquake.pes.figures.fits import plot_cumulative, plot_rate
from flowquake.pes.figures.names import safe_name

__all__ = [
    "DrawForecasts",
    "expected_events",
    "expected_rate",
    "plot_convergence",
    "plot_cumulative",
    "plot_frequency_magnitude",
    "plot_magnitude_time",
    "plot_rate",
    "safe_name",
    "save_figure",
]
