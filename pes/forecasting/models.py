"""The failure models, and fits of them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from flowquake.records import STATUSES, FloatArray
from flowquake.records.forecasts import Status

__all__ = [
    "MODELS",
    "STATUSES",
    "FailureFit",
    "FailureInterval",
    "FitAdequacy",
    "Status",
    "model_cumulative",
    "model_rate",
    "parameter_count",
]

MODELS = ("constant", "exponential", "hyperbolic", "inverse_omori")


class FailureInterval(NamedTuple):
    """A profile-likelihood interval of the failure time; None where it has no end."""

    level: float
    lower: float | None
    upper: float | None


class FitAdequacy(NamedTuple):
    """Sup distance of the fitted model to its events, and how often chance exceeds it."""

    ks: float
    p_value: float
    p_value_naive: float


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureFit:
    """One model fitted to one window.

    Times are in the unit and on the axis of the times that were fitted.

    Attributes
    ----------
    model : str
        One of `MODELS`.
    status : str
        One of `STATUSES`: the first that applies.
    events : int
        How many were fitted.
    parameters : mapping of str to float
        Empty when there was no fit. Time counts from ``start``:

        - constant, rate ``k``: ``k``, per unit.
        - exponential, ``k exp(lambda t)``: ``k`` per unit, ``lambda`` 1/unit.
        - hyperbolic, ``k / (t_f - t)``: ``k``, a number; ``t_f``, unit.
        - inverse Omori, ``k (t_f - t)^-p``: ``k``, unit^(p - 1); ``t_f``; ``p``.
    log_likelihood : float or None
        Natural, of the times themselves, without ``ln n!``.
    aic, bic : float or None
        ``2 m - 2 ll`` and ``m ln n - 2 ll``, m the number of parameters fitted.
    failure_time : float or None
        Only where the status is ``forecast`` or ``not_adequate``.
    interval : FailureInterval or None
        Of the failure time; there also where the status is ``at_window_end``.
        None if the failure time was given.
    adequacy : FitAdequacy or None
        None when there was no fit.
    start, end : float
        The window.
    """

    model: str
    status: Status
    events: int
    parameters: Mapping[str, float]
    log_likelihood: float | None
    aic: float | None
    bic: float | None
    failure_time: float | None
    interval: FailureInterval | None
    adequacy: FitAdequacy | None
    start: float
    end: float

    def rate(self, times: npt.ArrayLike) -> FloatArray:
        """Give the fitted event rate, per unit of time.

        Parameters
        ----------
        times : array_like
            Before the failure time.

        Raises
        ------
        ValueError
            If there was no fit.
        """
        t = np.asarray(times, dtype=np.float64) - self.start
        return model_rate(self.model, self.parameters, t)

    def cumulative(self, times: npt.ArrayLike) -> FloatArray:
        """Give the expected number of events since the window's start.

        Raises
        ------
        ValueError
            If there was no fit.
        """
        t = np.asarray(times, dtype=np.float64) - self.start
        return model_cumulative(self.model, self.parameters, t)


def model_rate(model: str, parameters: Mapping[str, float], times: npt.ArrayLike) -> FloatArray:
    """Give a model's event rate.

    Parameters
    ----------
    model : str
        One of `MODELS`.
    parameters : mapping of str to float
        As in `FailureFit`, or in a forecast record.
    times : array_like
        Since the window's start, in the parameters' unit; before ``t_f``.

    Returns
    -------
    ndarray
        Events per unit.

    Raises
    ------
    ValueError
        If parameters are missing.

    Examples
    --------
    >>> model_rate("hyperbolic", {"k": 50.0, "t_f": 10.0}, [0.0, 9.0])
    array([ 5., 50.])
    """
    t = np.asarray(times, dtype=np.float64)
    k = _parameter(model, parameters, "k")
    if model == "constant":
        return np.full_like(t, k)
    if model == "exponential":
        return np.asarray(k * np.exp(_parameter(model, parameters, "lambda") * t))
    p = 1.0 if model == "hyperbolic" else _parameter(model, parameters, "p")
    left = _parameter(model, parameters, "t_f") - t
    return np.asarray(np.exp(math.log(k) - p * np.log(left)))


def model_cumulative(
    model: str, parameters: Mapping[str, float], times: npt.ArrayLike
) -> FloatArray:
    """Give a model's expected number of events from the window's start on.

    Parameters and errors are those of `model_rate`.

    Examples
    --------
    >>> model_cumulative("hyperbolic", {"k": 50.0, "t_f": 10.0}, [0.0, 9.0]).round(3)
    array([  0.   , 115.129])
    """
    t = np.asarray(times, dtype=np.float64)
    k = _parameter(model, parameters, "k")
    if model == "constant":
        return np.asarray(k * t)
    if model == "exponential":
        growth = _parameter(model, parameters, "lambda")
        return np.asarray(k * t * _expm1_over(growth * t))
    q = 0.0 if model == "hyperbolic" else _parameter(model, parameters, "p") - 1.0
    failure = _parameter(model, parameters, "t_f")
    passed = -np.log1p(-t / failure)
    # k t_f^-q passed (e^(q passed) - 1) / (q passed), the powers taken together.
    scale = math.exp(math.log(k) - q * math.log(failure))
    return np.asarray(scale * passed * _expm1_over(q * passed))


def _expm1_over(x: FloatArray) -> FloatArray:
    """Give (e^x - 1) / x, 1 at x = 0."""
    return np.where(x == 0.0, 1.0, np.expm1(x) / np.where(x == 0.0, 1.0, x))


def _parameter(model: str, parameters: Mapping[str, float], name: str) -> float:
    try:
        return parameters[name]
    except KeyError:
        raise ValueError(f"the {model} model has no {name}: there was no fit") from None


def parameter_count(model: str, *, given: bool = False) -> int:
    """Give how many parameters a fit has; ``given`` if the failure time was."""
    counts = dict(zip(MODELS, (1, 2, 2, 3), strict=True))
    return counts[model] - (given and model in ("hyperbolic", "inverse_omori"))
