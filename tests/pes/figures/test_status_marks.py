from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection

from flowquake.pes.figures import plot_convergence, save_figure
from flowquake.pes.figures.status_marks import STATUS_MARKS, thinned
from flowquake.records import NS_PER_DAY, Forecast

MakeForecast = Callable[..., Forecast]


@pytest.fixture
def many(make_forecast: MakeForecast) -> list[Forecast]:
    """Make 2000 forecasts: 500 too early, 500 without acceleration, 999 fits and one again none."""
    none = {"failure_time": None, "interval": None}
    statuses = ["too_few_events"] * 500 + ["no_acceleration"] * 500
    statuses += ["not_adequate"] * 500 + ["no_acceleration"] + ["forecast"] * 499
    return [
        make_forecast(
            issued=50.0 + 0.025 * number,
            status=status,
            **(none if status in STATUS_MARKS else {}),
        )
        for number, status in enumerate(statuses)
    ]


def marks(axes: Axes, mark: str) -> np.ndarray:
    (one,) = [one for one in axes.lines if one.get_marker() == mark]
    return np.column_stack([np.asarray(one.get_xdata()), np.asarray(one.get_ydata())])


def lines_at_foot(axes: Axes) -> list[np.ndarray]:
    return [
        np.asarray(segment)
        for one in axes.collections
        if isinstance(one, LineCollection)
        for segment in one.get_segments()
        if segment[0][1] == segment[1][1]
    ]


def test_thousands_of_status_marks_do_not_merge(many: list[Forecast]) -> None:
    axes = plot_convergence(many).axes[0]
    width = float(np.diff(axes.get_xlim())[0])
    few, none = marks(axes, "."), marks(axes, "|")
    for kept in (few, none):
        assert 5 < len(kept) < 30
        assert np.diff(kept[:, 0]).min() >= width / 41
    assert len({*few[:, 1], *none[:, 1]}) == 2


def test_forecasts_in_succession_are_a_line_by_status(many: list[Forecast]) -> None:
    axes = plot_convergence(many).axes[0]
    spans = sorted(segment[:, 0].tolist() for segment in lines_at_foot(axes))
    expected = [(0, 499), (500, 999), (1500, 1500)]
    assert len(spans) == len(expected)
    for (left, right), (first, last) in zip(spans, expected, strict=True):
        assert left < many[first].issued / NS_PER_DAY
        assert right > many[last].issued / NS_PER_DAY
        assert left == pytest.approx(many[first].issued / NS_PER_DAY, abs=0.1)
        assert right == pytest.approx(many[last].issued / NS_PER_DAY, abs=0.1)


def test_many_forecasts_have_small_dots_and_faint_intervals(
    many: list[Forecast], make_forecast: MakeForecast
) -> None:
    few = plot_convergence([make_forecast(issued=50.0), make_forecast()]).axes[0]
    axes = plot_convergence(many).axes[0]

    def size(where: Axes) -> float:
        return max(float(one.get_markersize()) for one in where.lines if one.get_marker() == "o")

    def weight(where: Axes) -> float:
        (bars,) = [
            one for one in where.collections if isinstance(one, LineCollection) and one.get_alpha()
        ]
        return float(np.ravel(bars.get_linewidth())[0]) * float(bars.get_alpha() or 0.0)

    assert size(axes) < size(few)
    assert weight(axes) < weight(few) / 3
    dots = [one for one in axes.lines if one.get_marker() == "o"]
    assert sum(len(np.asarray(one.get_xdata())) for one in dots) == 499 + 2 * 500


def test_thousands_of_forecasts_are_the_same_bytes(many: list[Forecast], tmp_path: Path) -> None:
    contents = {
        save_figure(plot_convergence(forecasts), tmp_path / f"{name}.png", dpi=60).read_bytes()
        for name, forecasts in (("a", many), ("b", many[::-1]))
    }
    assert len(contents) == 1


def test_thinning_keeps_the_first_and_the_order() -> None:
    places = np.linspace(0.0, 10.0, 1001)
    kept = thinned(places, 0.5)
    assert kept[0] == 0.0
    assert 18 <= len(kept) <= 21
    assert np.diff(kept).min() >= 0.5
    assert thinned([], 1.0).tolist() == []
    assert thinned([1.0, 1.0], 0.0).tolist() == [1.0, 1.0]
