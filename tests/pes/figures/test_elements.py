from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from flowquake.errors import ConfigError
from flowquake.pes.figures import DrawForecasts
from flowquake.records import Forecast, Window
from flowquake.testing import run_element

MakeWindow = Callable[..., Window]
MakeForecast = Callable[..., Forecast]


def drawn(out: Path) -> list[str]:
    return sorted(path.name for path in (out / "figures").glob("*"))


def test_every_figure_of_a_source_is_written(
    tmp_path: Path, make_window: MakeWindow, make_forecast: MakeForecast
) -> None:
    forecasts = [make_forecast(issued=50.0), make_forecast()]
    result = run_element(
        DrawForecasts(dpi=40),
        {"windows": [make_window()], "forecasts": forecasts, "uncut": [make_window()]},
        out=tmp_path,
    )
    kinds = ("convergence", "cumulative", "frequency", "magnitudes", "rate")
    assert drawn(tmp_path) == [f"Etna_{kind}.png" for kind in kinds]
    assert result.counters == {"figures drawn": 5}


def test_a_single_forecast_has_no_convergence(
    tmp_path: Path, make_window: MakeWindow, make_forecast: MakeForecast
) -> None:
    run_element(
        DrawForecasts(kinds=["convergence", "rate"], formats=["svg"]),
        {"windows": [make_window()], "forecasts": [make_forecast()]},
        out=tmp_path,
    )
    assert drawn(tmp_path) == ["Etna_rate.svg"]


def test_sources_and_keys_have_their_own_figures(tmp_path: Path, make_window: MakeWindow) -> None:
    windows = [
        make_window(),
        make_window(source="../Hekla"),
        make_window(key="summit"),
    ]
    run_element(
        DrawForecasts(kinds=["rate"], dpi=40), {"windows": windows, "forecasts": []}, out=tmp_path
    )
    names = drawn(tmp_path)
    assert [name.split("-")[0] for name in names] == ["Etna", "Etna_rate.png", "Hekla"]


def test_the_figures_do_not_depend_on_the_order_of_the_input(
    tmp_path: Path, make_window: MakeWindow, make_forecast: MakeForecast
) -> None:
    first = make_window()
    last = replace(first, end=first.end + 1, number=4)
    forecasts = [make_forecast(issued=day, revision=r) for day in (50.0, 60.0) for r in (0, 1)]
    for name, turn in (("a", 1), ("b", -1)):
        run_element(
            DrawForecasts(dpi=40, kinds=["cumulative", "convergence"]),
            {"windows": [first, last][::turn], "forecasts": forecasts[::turn]},
            out=tmp_path / name,
        )
    for path in (tmp_path / "a" / "figures").iterdir():
        assert path.read_bytes() == (tmp_path / "b" / "figures" / path.name).read_bytes()


def test_nothing_is_drawn_of_nothing(tmp_path: Path) -> None:
    run_element(DrawForecasts(), {"windows": [], "forecasts": []}, out=tmp_path)
    assert drawn(tmp_path) == []


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"formats": ["pgn"]}, "did you mean 'png'"),
        ({"kinds": ["ratee"]}, "did you mean 'rate'"),
        ({"dpi": 1}, "dpi"),
        ({"failure_time": "soon"}, "not a time"),
    ],
)
def test_a_wrong_parameter_is_refused(parameters: dict[str, object], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        DrawForecasts(**parameters)  # type: ignore[arg-type]  # wrong on purpose


def test_the_real_failure_may_be_given_as_text_or_number(
    tmp_path: Path, make_forecast: MakeForecast
) -> None:
    forecasts = [make_forecast(issued=day) for day in (50.0, 90.0)]
    contents = []
    for name, failure in (("a", "2011-07-01"), ("b", 1_309_478_400_000_000_000)):
        run_element(
            DrawForecasts(failure_time=failure, dpi=40),
            {"windows": [], "forecasts": forecasts},
            out=tmp_path / name,
        )
        contents.append((tmp_path / name / "figures" / "Etna_convergence.png").read_bytes())
    assert contents[0] == contents[1]
