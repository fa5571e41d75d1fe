from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from flowquake.pes.figures import DrawForecasts, plot_convergence, plot_cumulative, plot_rate
from flowquake.records import NS_PER_DAY, Forecast, Window, json_time
from flowquake.testing import run_element

MakeWindow = Callable[..., Window]
MakeForecast = Callable[..., Forecast]
BOTH = pytest.mark.parametrize("plot", [plot_cumulative, plot_rate])


def texts(figure: Figure) -> list[str]:
    legends = [*figure.legends, *(a.get_legend() for a in figure.axes)]
    return [t.get_text() for legend in legends if legend for t in legend.get_texts()]


def known(axes: Axes) -> Line2D:
    (one,) = [one for one in axes.lines if " failure 20" in str(one.get_label())]
    return one


@BOTH
def test_the_cutoff_stands_beside_the_number_of_events(
    plot: Callable[..., Figure], make_window: MakeWindow
) -> None:
    assert "60 events, M ≥ 1.7" in texts(plot(make_window(completeness_magnitude=1.7)))
    assert "60 events" in texts(plot(make_window()))
    laboratory = make_window("elapsed", completeness_magnitude=2.0)
    assert "60 events, AE size ≥ 2" in texts(plot(laboratory))


@BOTH
@pytest.mark.parametrize("after", [-20, 2, 40])
def test_an_observed_failure_is_a_line_on_the_axis(
    plot: Callable[..., Figure], after: int, make_window: MakeWindow, make_forecast: MakeForecast
) -> None:
    window = make_window()
    failure = window.end + after * NS_PER_DAY
    axes = plot(window, [make_forecast()], failure_time=failure).axes[0]
    places = np.asarray(known(axes).get_xdata(), dtype=float)
    assert (places * NS_PER_DAY).tolist() == pytest.approx([failure, failure])
    assert axes.get_xlim()[0] < places[0] < axes.get_xlim()[1]
    assert str(known(axes).get_label()).startswith("observed failure 2011-")


@BOTH
@pytest.mark.parametrize(
    ("after", "place", "said"), [(9_000, 1.0, "later than shown"), (-900, 0.0, "earlier than")]
)
def test_a_failure_far_away_is_an_arrow_at_the_edge(
    plot: Callable[..., Figure], after: int, place: float, said: str, make_window: MakeWindow
) -> None:
    window = make_window()
    near = plot(window).axes[0].get_xlim()
    axes = plot(window, failure_time=window.end + after * NS_PER_DAY).axes[0]
    assert axes.get_xlim() == near
    assert known(axes).get_xdata() == [place]
    assert said in str(known(axes).get_label())


def test_a_failure_the_models_were_fitted_to_is_given(
    make_window: MakeWindow, make_forecast: MakeForecast
) -> None:
    failure = make_forecast().failure_time
    assert failure is not None
    settings = {"failure_time": json_time(failure, "utc")}
    fits = [make_forecast(issued=day, settings=settings, interval=None) for day in (50.0, 100.0)]
    said = texts(plot_cumulative(make_window(), fits[1:], failure_time=failure))
    assert "given failure 2011-07-01 07:06" in said
    assert "hyperbolic: fitted to the given failure" in said
    convergence = texts(plot_convergence(fits, failure_time=failure))
    assert {"given failure", "fit to the given failure"} <= set(convergence)
    other = texts(plot_cumulative(make_window(), fits, failure_time=failure + NS_PER_DAY))
    assert "observed failure 2011-07-02 07:06" in other


def test_the_legend_of_convergence_says_what_its_lines_are(make_forecast: MakeForecast) -> None:
    failure = make_forecast().failure_time
    assert failure is not None
    dated = [make_forecast(issued=day) for day in (50.0, 100.0)]
    said = texts(plot_convergence(dated, failure_time=failure))
    assert {"observed failure", "failure on the day of issue"} <= set(said)
    laboratory = [make_forecast("elapsed", issued=minute) for minute in (50.0, 100.0)]
    assert "failure at the time of issue" in texts(plot_convergence(laboratory))


def test_convergence_does_not_stretch_to_a_failure_far_away(make_forecast: MakeForecast) -> None:
    forecasts = [make_forecast(issued=day) for day in (50.0, 100.0)]
    far = plot_convergence(forecasts, failure_time=forecasts[0].issued + 9_000 * NS_PER_DAY)
    assert far.axes[0].get_ylim() == plot_convergence(forecasts).axes[0].get_ylim()
    assert "observed failure, later than shown" in texts(far)


def test_the_element_draws_the_failure_in_every_figure_of_forecasts(
    tmp_path: Path, make_window: MakeWindow, make_forecast: MakeForecast
) -> None:
    for name, failure in (("with", "2011-07-01"), ("without", None)):
        run_element(
            DrawForecasts(failure_time=failure, dpi=40),
            {
                "windows": [make_window()],
                "forecasts": [make_forecast(issued=50.0), make_forecast()],
            },
            out=tmp_path / name,
        )
    changed = {
        path.stem
        for path in (tmp_path / "with" / "figures").iterdir()
        if path.read_bytes() != (tmp_path / "without" / "figures" / path.name).read_bytes()
    }
    assert changed == {"Etna_cumulative", "Etna_rate", "Etna_convergence"}
