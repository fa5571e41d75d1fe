from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace

import matplotlib
import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from flowquake.pes.figures import (
    plot_convergence,
    plot_cumulative,
    plot_frequency_magnitude,
    plot_magnitude_time,
    plot_rate,
)
from flowquake.records import NS_PER_DAY, EventBatch, Forecast, Interval, Window

MakeWindow = Callable[..., Window]
MakeForecast = Callable[..., Forecast]


@pytest.fixture(autouse=True)
def no_warnings() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def axes_of(figure: Figure) -> Axes:
    figure.canvas.draw()
    return figure.axes[0]


def line(axes: Axes, label: str) -> Line2D:
    return next(one for one in axes.lines if str(one.get_label()).startswith(label))


def texts(figure: Figure) -> str:
    legends = [*figure.legends, *(a.get_legend() for a in figure.axes)]
    return "\n".join(t.get_text() for legend in legends if legend for t in legend.get_texts())


def data(one: Line2D) -> tuple[np.ndarray, np.ndarray]:
    return np.asarray(one.get_xdata(), dtype=float), np.asarray(one.get_ydata(), dtype=float)


def test_the_steps_are_the_events(make_window: MakeWindow) -> None:
    window = make_window()
    x, y = data(line(axes_of(plot_cumulative(window)), "60 events"))
    assert x[0] * NS_PER_DAY == pytest.approx(window.start)
    np.testing.assert_allclose(x[1:-1] * NS_PER_DAY, window.events.time, rtol=1e-15)
    assert y.tolist() == [*range(61), 60]


def test_the_model_passes_through_the_number_at_the_windows_end(
    make_window: MakeWindow, make_forecast: MakeForecast
) -> None:
    window = make_window()
    figure = plot_cumulative(window, [make_forecast()])
    x, y = data(line(axes_of(figure), "hyperbolic"))
    assert np.interp(window.end / NS_PER_DAY, x, y) == pytest.approx(60.0, rel=1e-3)
    assert "hyperbolic: fails 2011-07-01" in texts(figure)
    assert "90% interval: 2011-06-26 to 2011-07-11" in texts(figure)


def test_the_failure_time_is_a_line_and_the_interval_a_shade(
    make_window: MakeWindow, make_forecast: MakeForecast
) -> None:
    axes = axes_of(plot_cumulative(make_window(), [make_forecast()]))
    forecast = make_forecast()
    assert forecast.failure_time is not None
    verticals = [float(data(one)[0][0]) for one in axes.lines if len(data(one)[0]) == 2]
    assert pytest.approx(forecast.failure_time / NS_PER_DAY) in verticals
    (shade,) = axes.patches
    edges = shade.get_extents().transformed(axes.transData.inverted()).intervalx
    assert forecast.interval is not None
    np.testing.assert_allclose(
        edges * NS_PER_DAY,
        [forecast.interval.lower, forecast.interval.upper],  # type: ignore[arg-type]  # Matplotlib's types are wider, or None is excluded by the case
    )


def test_a_status_without_failure_time_is_said(
    make_window: MakeWindow, make_forecast: MakeForecast
) -> None:
    forecasts = [
        make_forecast(model="constant", status="no_acceleration", failure_time=None, interval=None),
        make_forecast(status="not_adequate"),
        make_forecast(
            model="exponential", status="too_few_events", parameters={}, failure_time=None
        ),
    ]
    said = texts(plot_cumulative(make_window(), forecasts))
    assert "constant rate: no acceleration" in said
    assert "fit not adequate" in said
    assert "exponential: too few events" in said


def test_an_open_interval_is_shaded_to_the_edges(
    make_window: MakeWindow, make_forecast: MakeForecast
) -> None:
    window = make_window()
    forecast = make_forecast(interval=Interval(level=0.9, lower=None, upper=None))
    axes = axes_of(plot_cumulative(window, [forecast]))
    (shade,) = axes.patches
    left, right = shade.get_extents().transformed(axes.transData.inverted()).intervalx
    assert left * NS_PER_DAY == pytest.approx(window.end)
    assert right == pytest.approx(axes.get_xlim()[1])


def test_a_failure_very_far_away_does_not_press_the_data_flat(
    make_window: MakeWindow, make_forecast: MakeForecast
) -> None:
    window = make_window()
    far = window.end + 20_000 * NS_PER_DAY
    forecast = make_forecast(failure_time=far, interval=None)
    axes = axes_of(plot_cumulative(window, [forecast]))
    assert axes.get_xlim()[1] * NS_PER_DAY <= window.end + (window.end - window.start)


def test_a_model_that_fails_very_far_away_has_its_curve(
    make_window: MakeWindow, make_forecast: MakeForecast
) -> None:
    fitted = {"k": 0.6 * 1e6, "t_f": 1e6}
    forecast = make_forecast(
        parameters=fitted, failure_time=None, interval=None, status="no_acceleration"
    )
    axes = axes_of(plot_cumulative(make_window(), [forecast]))
    x, y = data(line(axes, "hyperbolic"))
    assert np.interp(make_window().end / NS_PER_DAY, x, y) == pytest.approx(60.0, rel=1e-3)


def test_the_rate_adds_up_to_the_events(
    make_window: MakeWindow, make_forecast: MakeForecast
) -> None:
    figure = plot_rate(make_window(), [make_forecast()], bins=25)
    axes = axes_of(figure)
    values, edges, _ = axes.patches[0].get_data()  # type: ignore[attr-defined]  # Matplotlib's types are wider, or None is excluded by the case
    assert float(np.sum(values * np.diff(edges))) == pytest.approx(60.0)
    x, y = data(line(axes, "hyperbolic"))
    assert float(np.sum((y[1:] + y[:-1]) / 2 * np.diff(x))) == pytest.approx(60.0, rel=2e-2)
    assert axes.get_ylabel() == "Events per day"


def test_laboratory_axes_are_minutes(make_window: MakeWindow, make_forecast: MakeForecast) -> None:
    window, forecast = make_window("elapsed"), make_forecast("elapsed")
    axes = axes_of(plot_cumulative(window, [forecast]))
    assert "minutes" in axes.get_xlabel()
    assert axes.get_xlim()[0] == 0.0
    assert axes_of(plot_rate(window, [forecast])).get_ylabel() == "Events per minute"
    assert "fails 110.000 min" in texts(plot_cumulative(window, [forecast]))


def test_magnitude_time_has_every_event_and_marks_the_missing(make_window: MakeWindow) -> None:
    window = make_window()
    sizes = window.events.magnitude.copy()
    sizes[[3, 5]] = np.nan
    events = window.events.with_columns(magnitude=sizes)
    figure = plot_magnitude_time(replace(window, events=events), mc=1.2)
    axes = axes_of(figure)
    offsets = np.asarray(axes.collections[0].get_offsets())
    np.testing.assert_allclose(offsets[:, 1], sizes[np.isfinite(sizes)])
    assert "58 events" in texts(figure)
    assert "2 without a magnitude" in texts(figure)
    assert "cutoff 1.2" in texts(figure)


def test_frequency_magnitude_counts_and_draws_the_law() -> None:
    magnitudes = np.round(1.0 + np.random.default_rng(1).exponential(1 / np.log(10), 3000), 1)
    events = EventBatch(source="Etna", time=np.arange(3000), magnitude=magnitudes)
    figure = plot_frequency_magnitude(events, mc=1.2)
    axes = axes_of(figure)
    x, y = data(line(axes, "at or above"))
    assert (round(float(x[0]), 6), y[0]) == (1.0, 3000)
    assert y[2] == (magnitudes > 1.15).sum()
    _, law = data(line(axes, "b "))
    assert law[0] == (magnitudes > 1.15).sum()
    assert float(axes.lines[2].get_xdata()[0]) == 1.2  # type: ignore[index,arg-type]  # Matplotlib's types are wider, or None is excluded by the case


@pytest.mark.parametrize("magnitudes", [[], [np.nan] * 3, [1.0], [1.0] * 5, [-1e9, 1.0, 2.0]])
def test_catalogs_without_much_in_them_are_drawn(magnitudes: list[float]) -> None:
    events = EventBatch(source="Etna", time=np.arange(len(magnitudes)), magnitude=magnitudes)
    axes_of(plot_frequency_magnitude(events, mc=1.0))
    axes_of(plot_magnitude_time(events))
    window = Window(
        source="Etna", key="x", start=0, end=0, events=events, rule="count", number=0, final=True
    )
    axes_of(plot_cumulative(window))
    axes_of(plot_rate(window))


def test_convergence_has_a_dot_and_an_interval_for_each_forecast(
    make_forecast: MakeForecast,
) -> None:
    forecasts = [make_forecast(issued=day) for day in (40.0, 60.0, 80.0, 100.0)]
    axes = axes_of(plot_convergence(forecasts))
    (dots,) = [data(one) for one in axes.lines if one.get_marker() == "o"]
    assert (dots[0] * NS_PER_DAY).tolist() == pytest.approx([f.issued for f in forecasts])
    (bars,) = [one for one in axes.collections if isinstance(one, LineCollection)]
    interval = forecasts[0].interval
    assert interval is not None
    assert len(bars.get_segments()) == 4
    np.testing.assert_allclose(
        np.asarray(bars.get_segments()[0])[:, 1] * NS_PER_DAY,
        [interval.lower, interval.upper],  # type: ignore[arg-type]  # Matplotlib's types are wider, or None is excluded by the case
    )


def test_convergence_draws_the_line_where_failure_would_be_now(
    make_forecast: MakeForecast,
) -> None:
    axes = axes_of(plot_convergence([make_forecast(issued=50.0), make_forecast()]))
    x, y = data(next(one for one in axes.lines if one.get_linestyle() == "--"))
    assert x.tolist() == y.tolist()


def test_statuses_without_failure_time_are_marks_at_the_foot(make_forecast: MakeForecast) -> None:
    statuses = ["too_few_events", "no_acceleration", "no_failure_time", "at_window_end"]
    forecasts = [
        make_forecast(issued=20.0 + 10 * k, status=status, failure_time=None, interval=None)
        for k, status in enumerate(statuses)
    ]
    figure = plot_convergence([*forecasts, make_forecast()])
    axes = axes_of(figure)
    marks = [one for one in axes.lines if one.get_marker() in (".", "|", "^", "x")]
    assert [float(data(one)[0][0]) * NS_PER_DAY for one in marks] == pytest.approx(
        [f.issued for f in forecasts]
    )
    for said in ("too few events", "no acceleration", "no failure time", "at the window's end"):
        assert said in texts(figure)


def test_convergence_draws_only_the_highest_revision(make_forecast: MakeForecast) -> None:
    old = make_forecast(revision=0)
    new = make_forecast(revision=1, failure_time=old.issued + 2 * NS_PER_DAY)
    other = make_forecast(issued=50.0)
    axes = axes_of(plot_convergence([new, old, other]))
    (dots,) = [data(one)[1] for one in axes.lines if one.get_marker() == "o"]
    assert len(dots) == 2
    assert pytest.approx((old.issued + 2 * NS_PER_DAY) / NS_PER_DAY) in dots.tolist()


def test_each_forecasting_model_has_its_panel(make_forecast: MakeForecast) -> None:
    forecasts = [
        make_forecast(model=model, issued=day, failure_time=None, status="no_acceleration")
        for model in ("constant", "exponential", "hyperbolic", "inverse_omori")
        for day in (50.0, 60.0)
    ]
    figure = plot_convergence(forecasts)
    figure.canvas.draw()
    titles = [axes.get_title(loc="right") for axes in figure.axes]
    assert titles == ["hyperbolic", "inverse Omori"]
    only = plot_convergence([f for f in forecasts if f.model == "constant"])
    assert [axes.get_title(loc="right") for axes in only.axes] == ["constant rate"]


def test_a_fit_that_is_not_adequate_is_an_open_dot(make_forecast: MakeForecast) -> None:
    forecasts = [make_forecast(issued=50.0, status="not_adequate"), make_forecast()]
    axes = axes_of(plot_convergence(forecasts))
    faces = [one.get_markerfacecolor() for one in axes.lines if one.get_marker() == "o"]
    assert faces == ["white", "#D55E00"]


def test_laboratory_convergence_is_in_minutes(make_forecast: MakeForecast) -> None:
    forecasts = [make_forecast("elapsed", issued=minute) for minute in (50.0, 90.0)]
    axes = axes_of(plot_convergence(forecasts))
    assert "min" in axes.get_xlabel()
    assert "min" in axes.get_ylabel()


def test_no_forecast_at_all_is_an_empty_figure() -> None:
    plot_convergence([]).canvas.draw()


def test_text_from_outside_is_never_mathematics(make_window: MakeWindow) -> None:
    name = r"$\frac{ $\bad_^"
    figure = plot_cumulative(make_window(source=name))
    assert axes_of(figure).get_title(loc="left") == name


def test_no_figure_is_registered_anywhere(make_window: MakeWindow) -> None:
    before = dict(matplotlib.rcParams)
    plot_cumulative(make_window())
    assert dict(matplotlib.rcParams) == before
