from __future__ import annotations

import math
import warnings
from collections.abc import Callable

import numpy as np
import pytest
from numpy.testing import assert_allclose

from flowquake.pes.figures import expected_events, expected_rate
from flowquake.records import NS_PER_DAY, Forecast

Make = Callable[..., Forecast]

FITS = [
    ("constant", {"k": 3.0}),
    ("exponential", {"k": 0.5, "lambda": 0.04}),
    ("exponential", {"k": 0.5, "lambda": 0.0}),
    ("exponential", {"k": 9.5, "lambda": -0.04}),
    ("hyperbolic", {"k": 20.0}),
    ("inverse_omori", {"k": 20.0, "p": 1.3}),
    ("inverse_omori", {"k": 20.0, "p": 1.0}),
    ("inverse_omori", {"k": 20.0, "p": 0.4}),
]


@pytest.mark.parametrize(("model", "parameters"), FITS)
def test_the_number_of_events_is_the_integral_of_the_rate(
    model: str, parameters: dict[str, float], make_forecast: Make
) -> None:
    forecast = make_forecast(model=model, parameters=parameters)
    times = np.linspace(0.0, 100.0, 200_001)
    rate = expected_rate(forecast, times)
    number = expected_events(forecast, times)
    assert rate is not None
    assert number is not None
    integral = np.concatenate([[0.0], np.cumsum((rate[1:] + rate[:-1]) / 2)]) * times[1]
    assert_allclose(number, integral, rtol=1e-6, atol=1e-9)


def test_inverse_omori_is_smooth_at_p_1(make_forecast: Make) -> None:
    times = np.linspace(0.0, 100.0, 11)
    beside = make_forecast(model="inverse_omori", parameters={"k": 2.0, "p": 1.0 + 1e-9})
    at = make_forecast(model="inverse_omori", parameters={"k": 2.0, "p": 1.0})
    near, exact = expected_events(beside, times), expected_events(at, times)
    assert near is not None
    assert exact is not None
    assert_allclose(near, exact, rtol=1e-6)


def test_there_is_no_number_after_the_failure(make_forecast: Make) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        number = expected_events(make_forecast(), np.array([109.0, 110.0, 111.0]))
    assert number is not None
    assert np.isfinite(number).tolist() == [True, False, False]


@pytest.mark.parametrize(
    ("model", "parameters", "failure_time"),
    [
        ("constant", {}, None),
        ("hyperbolic", {"k": 2.0}, None),
        ("hyperbolic", {"k": None}, 10 * NS_PER_DAY),
        ("inverse_omori", {"k": 2.0}, 10 * NS_PER_DAY),
        ("exponential", {"k": 2.0}, None),
    ],
)
def test_a_forecast_without_a_fit_has_no_curve(
    model: str,
    parameters: dict[str, float | None],
    failure_time: int | None,
    make_forecast: Make,
) -> None:
    forecast = make_forecast(model=model, parameters=parameters, failure_time=failure_time)
    assert expected_events(forecast, np.array([1.0])) is None
    assert expected_rate(forecast, np.array([1.0])) is None


def test_laboratory_curves_are_in_minutes(make_forecast: Make) -> None:
    number = expected_events(make_forecast("elapsed"), np.array([100.0]))
    assert number is not None
    assert math.isclose(number[0], 60.0)
