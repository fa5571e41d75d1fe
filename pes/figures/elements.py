"""Figures of the forecasts that a run made."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from dataclasses import field as entry
from typing import TYPE_CHECKING

from flowquake import Input, ProcessingElement, State, field
from flowquake.errors import ConfigError, suggest
from flowquake.pes.figures.canvas import FORMATS, save_figure
from flowquake.pes.figures.catalog import plot_frequency_magnitude, plot_magnitude_time
from flowquake.pes.figures.convergence import latest_revisions, plot_convergence
from flowquake.pes.figures.fits import plot_cumulative, plot_rate
from flowquake.pes.figures.names import safe_name
from flowquake.records import Forecast, Window, parse_time

if TYPE_CHECKING:
    from matplotlib.figure import Figure

KINDS = ("cumulative", "rate", "magnitudes", "frequency", "convergence")


@dataclass
class DrawnSoFar:
    """What the figures of one source will need.

    Attributes
    ----------
    windows : list of Window
        The last window of each key.
    uncut : list of Window
        The last one of each key before it was cut at a magnitude.
    forecasts : list of Forecast
        Every forecast; those of a fit are few bytes each.
    """

    version: int = 1
    windows: list[Window] = entry(default_factory=list)
    uncut: list[Window] = entry(default_factory=list)
    forecasts: list[Forecast] = entry(default_factory=list)


class DrawForecasts(ProcessingElement):
    """Draw each source's events, models and forecasts when the input ends.

    For each source (and key): ``cumulative`` (the last window's events with
    the models), ``rate``, ``magnitudes`` (against time), ``frequency`` (of
    magnitudes, with the cutoff) and, where there are forecasts of more than
    one time, ``convergence`` (failure time against time of issue).

    Parameters
    ----------
    formats : list of str, default ["png"]
        ``png``, ``svg`` or ``pdf``.
    kinds : list of str
        Which figures to draw; by default all.
    failure_time : int or str, optional
        When it really failed, or the failure that the models were fitted to:
        nanoseconds of event time, or an ISO 8601 time. Drawn in ``cumulative``,
        ``rate`` and ``convergence``.
    dpi : int, default 150
        Of PNG files.

    Notes
    -----
    ``uncut`` takes the windows before they are cut at a magnitude, so that
    ``frequency`` and ``magnitudes`` show the small events too.
    """

    windows = Input(Window, by="source", order="any")
    forecasts = Input(Forecast, by="source", order="any")
    uncut = Input(Window, by="source", order="any", optional=True)
    state = State(DrawnSoFar)

    formats: list[str] = field(default_factory=lambda: ["png"])
    kinds: list[str] = field(default_factory=lambda: list(KINDS))
    failure_time: int | str | None = None
    dpi: int = 150

    def __post_init__(self) -> None:
        _choices("formats", self.formats, FORMATS)
        _choices("kinds", self.kinds, KINDS)
        if self.dpi < 10:
            raise ConfigError(f"dpi={self.dpi} is too few", fix="use for example dpi=150")
        _time(self.failure_time)

    def on_windows(self, window: Window) -> None:
        """Keep the last window of each key."""
        _keep_last(self.state.windows, window)

    def on_uncut(self, window: Window) -> None:
        """Keep the last uncut window of each key."""
        _keep_last(self.state.uncut, window)

    def on_forecasts(self, forecast: Forecast) -> None:
        """Keep every forecast."""
        self.state.forecasts.append(forecast)

    def finish(self) -> None:
        """Draw and write."""
        by_key: dict[str | None, list[Forecast]] = {}
        for forecast in latest_revisions(self.state.forecasts):
            by_key.setdefault(forecast.key, []).append(forecast)
        uncut = {window.key: window for window in self.state.uncut}
        windows = {window.key: window for window in self.state.windows}
        for key in sorted({*by_key, *windows, *uncut}, key=lambda k: (k is not None, k or "")):
            window = windows.get(key)
            self._draw_key(window, uncut.get(key, window), by_key.get(key, []))

    def _draw_key(
        self, window: Window | None, uncut: Window | None, forecasts: list[Forecast]
    ) -> None:
        failure = _time(self.failure_time)
        if window is not None:
            fitted = [
                f for f in forecasts if (f.window_start, f.window_end) == (window.start, window.end)
            ]
            self._save(
                "cumulative",
                window,
                lambda: plot_cumulative(window, fitted, failure_time=failure),
            )
            self._save("rate", window, lambda: plot_rate(window, fitted, failure_time=failure))
        if uncut is not None:
            mc = window.completeness_magnitude if window is not None else None
            self._save("magnitudes", uncut, lambda: plot_magnitude_time(uncut, mc=mc))
            self._save("frequency", uncut, lambda: plot_frequency_magnitude(uncut, mc=mc))
        if len({f.issued for f in forecasts}) > 1:
            self._save(
                "convergence",
                forecasts[0],
                lambda: plot_convergence(forecasts, failure_time=failure),
            )

    def _save(self, kind: str, record: Window | Forecast, draw: Callable[[], Figure]) -> None:
        if kind not in self.kinds:
            return
        figure = draw()
        stem = safe_name(record.source, record.key)
        for form in self.formats:
            path = self.run_path("figures", f"{stem}_{kind}.{form}")
            save_figure(figure, path, dpi=self.dpi)
            self.count("figures drawn")


def _keep_last(windows: list[Window], window: Window) -> None:
    for place, known in enumerate(windows):
        if known.key == window.key:
            if (window.end, window.number) > (known.end, known.number):
                windows[place] = window
            return
    windows.append(window)


def _time(given: int | str | None) -> int | None:
    if not isinstance(given, str):
        return given
    try:
        return parse_time(given)
    except ValueError as cause:
        raise ConfigError(
            f"failure_time='{given}' is not a time", fix="use for example 2011-10-10T04:30:00Z"
        ) from cause


def _choices(name: str, given: list[str], known: tuple[str, ...]) -> None:
    for choice in given:
        if choice not in known:
            raise ConfigError(
                f"{name}: '{choice}' is not known{suggest(choice, known)}",
                fix=f"choose from {', '.join(known)}",
            )
