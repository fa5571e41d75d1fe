"""What a forecast's fitted model says of the number of events, for drawing."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt

from flowquake.records import NS_PER_DAY, NS_PER_MINUTE, Forecast

FloatArray = npt.NDArray[np.float64]
Curve = Callable[[str, Mapping[str, float], FloatArray], FloatArray]


def unit_ns(forecast: Forecast) -> int:
    """Give the forecast's time unit, nanoseconds."""
    return NS_PER_MINUTE if forecast.time_unit == "minutes" else NS_PER_DAY


def failure_offset(forecast: Forecast) -> float | None:
    """Give the model's failure time after the window's start, in its unit; None without one."""
    fitted = forecast.parameters.get("t_f")
    if fitted is not None or forecast.failure_time is None:
        return fitted
    return (forecast.failure_time - forecast.window_start) / unit_ns(forecast)


def expected_events(forecast: Forecast, times: npt.ArrayLike) -> FloatArray | None:
    """Give the model's expected number of events since the window's start.

    Parameters
    ----------
    forecast : Forecast
        With its fitted ``parameters``.
    times : array_like, shape (n,)
        After the window's start, in the forecast's unit.

    Returns
    -------
    ndarray, shape (n,), or None
        NaN from the failure time on; None if the forecast has no fit.
    """
    from flowquake.pes.forecasting.models import model_cumulative

    return _evaluate(model_cumulative, forecast, times)


def expected_rate(forecast: Forecast, times: npt.ArrayLike) -> FloatArray | None:
    """Give the model's rate, events per unit of the forecast.

    Parameters
    ----------
    forecast : Forecast
        With its fitted ``parameters``.
    times : array_like, shape (n,)
        After the window's start, in the forecast's unit.

    Returns
    -------
    ndarray, shape (n,), or None
        NaN from the failure time on; None if the forecast has no fit.
    """
    from flowquake.pes.forecasting.models import model_rate

    return _evaluate(model_rate, forecast, times)


def _evaluate(curve: Curve, forecast: Forecast, times: npt.ArrayLike) -> FloatArray | None:
    t = np.asarray(times, dtype=np.float64)
    fitted = {name: value for name, value in forecast.parameters.items() if value is not None}
    failure = failure_offset(forecast)
    if failure is not None and forecast.model not in ("constant", "exponential"):
        fitted["t_f"] = failure
        t = np.where(t < failure, t, math.nan)
    if not fitted.get("k", 0.0) > 0.0:
        return None
    try:
        with np.errstate(all="ignore"):
            values = curve(forecast.model, fitted, t)
    except (ValueError, OverflowError):  # a parameter is missing, or far beyond any axis
        return None
    return np.where(np.isfinite(values), values, math.nan)
