"""What a fitted model says of the number of events, for drawing."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from flowquake.records import NS_PER_DAY, NS_PER_MINUTE, Forecast

FloatArray = npt.NDArray[np.float64]
_GROWTH_NAMES = ("rate", "lambda", "growth_rate", "lam")


def unit_ns(forecast: Forecast) -> int:
    """Give the forecast's time unit, nanoseconds."""
    return NS_PER_MINUTE if forecast.time_unit == "minutes" else NS_PER_DAY


def failure_offset(forecast: Forecast) -> float | None:
    """Give the model's failure time after the window's start, in its unit."""
    if forecast.failure_time is not None:
        return (forecast.failure_time - forecast.window_start) / unit_ns(forecast)
    return forecast.parameters.get("failure_time")


def expected_events(forecast: Forecast, times: FloatArray) -> FloatArray | None:
    """Give the model's expected number of events since the window's start.

    ``k t`` (constant), ``k (exp(rate t) - 1) / rate`` (exponential),
    ``k ln(t_f / (t_f - t))`` (hyperbolic) and the integral of
    ``k (t_f - t)^-p`` (inverse Omori).

    Parameters
    ----------
    forecast : Forecast
        With its fitted ``parameters``.
    times : ndarray, shape (n,)
        After the window's start, in the forecast's unit.

    Returns
    -------
    ndarray, shape (n,), or None
        NaN from the failure time on; None if the forecast has no fit.
    """
    known = _fitted(forecast)
    if known is None:
        return None
    k, growth, p, failure = known
    t = np.asarray(times, dtype=np.float64)
    with np.errstate(all="ignore"):
        if forecast.model == "constant":
            return k * t
        if forecast.model == "exponential":
            return k * t if growth == 0.0 else k * np.expm1(growth * t) / growth
        passed: FloatArray = np.log(failure) - np.log(np.where(t < failure, failure - t, np.nan))
        if forecast.model == "hyperbolic" or p == 1.0:
            return k * passed
        scale = k * failure ** (1.0 - p) / (p - 1.0)
        events: FloatArray = scale * np.expm1((p - 1.0) * passed)
        return events


def expected_rate(forecast: Forecast, times: FloatArray) -> FloatArray | None:
    """Give the model's rate, events per unit of the forecast.

    Parameters
    ----------
    forecast : Forecast
        With its fitted ``parameters``.
    times : ndarray, shape (n,)
        After the window's start, in the forecast's unit.

    Returns
    -------
    ndarray, shape (n,), or None
        NaN from the failure time on; None if the forecast has no fit.
    """
    known = _fitted(forecast)
    if known is None:
        return None
    k, growth, p, failure = known
    t = np.asarray(times, dtype=np.float64)
    with np.errstate(all="ignore"):
        if forecast.model == "constant":
            return np.full(t.shape, k)
        if forecast.model == "exponential":
            return k * np.exp(growth * t)
        power = p if forecast.model == "inverse_omori" else 1.0
        rate: FloatArray = np.where(t < failure, k * (failure - t) ** -power, np.nan)
        return rate


def _fitted(forecast: Forecast) -> tuple[float, float, float, float] | None:
    """Give k, growth, p and failure time; NaN for those the model has not."""
    given = forecast.parameters
    k = given.get("k")
    growth = next((given[name] for name in _GROWTH_NAMES if name in given), None)
    p = given.get("p")
    failure = failure_offset(forecast)
    needs = {
        "constant": (k,),
        "exponential": (k, growth),
        "hyperbolic": (k, failure),
        "inverse_omori": (k, p, failure),
    }.get(forecast.model)
    if needs is None or any(value is None or not math.isfinite(value) for value in needs):
        return None
    if failure is not None and failure <= 0:
        return None
    nan = math.nan
    return (
        nan if k is None else k,
        nan if growth is None else growth,
        nan if p is None else p,
        nan if failure is None else failure,
    )
