"""Draw event times and magnitudes from known models, exactly."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]


def simulate_constant(
    *,
    k: float,
    end: float,
    start: float = 0.0,
    events: int | None = None,
    rng: np.random.Generator,
) -> FloatArray:
    """Draw events of a constant rate on [start, end).

    Parameters
    ----------
    k : float
        Events per unit of time.
    start, end : float
        The window; any unit.
    events : int, optional
        Draw exactly so many; by default a Poisson number.
    rng : numpy.random.Generator
        The source of chance.

    Returns
    -------
    ndarray, shape (n,)
        Ascending.

    Raises
    ------
    ValueError
        If the window is empty or a parameter is out of its range.

    Examples
    --------
    >>> simulate_constant(k=2.0, end=3.0, events=4, rng=np.random.default_rng(1)).round(2)
    array([0.43, 1.54, 2.85, 2.85])
    """
    span = _span(start, end, k)
    left = _shares_left(k * span, events, rng)
    return _times(end, span * left, start)


def simulate_exponential(
    *,
    k: float,
    growth: float,
    end: float,
    start: float = 0.0,
    events: int | None = None,
    rng: np.random.Generator,
) -> FloatArray:
    """Draw events of the rate ``k exp(growth (t - start))`` on [start, end).

    Parameters
    ----------
    k : float
        Events per unit of time at ``start``.
    growth : float
        Per unit of time; negative for a decay.
    start, end, events, rng
        As in `simulate_constant`.

    Returns
    -------
    ndarray, shape (n,)
        Ascending.
    """
    span = _span(start, end, k)
    total = growth * span
    expected = k * span * (1.0 if total == 0.0 else math.expm1(total) / total)
    left = _shares_left(expected, events, rng)
    # The share of events that are left grows as (1 - e^(-total r)) in the share of time r.
    r = left if total == 0.0 else np.log1p(left * math.expm1(-total)) / -total
    return _times(end, span * r, start)


def simulate_hyperbolic(
    *,
    k: float,
    failure_time: float,
    end: float,
    start: float = 0.0,
    events: int | None = None,
    rng: np.random.Generator,
) -> FloatArray:
    """Draw events of the rate ``k / (failure_time - t)`` on [start, end).

    Parameters
    ----------
    k : float
        A number: events for each factor e by which the time to failure shrinks.
    failure_time : float
        After ``end``.
    start, end, events, rng
        As in `simulate_constant`.

    Returns
    -------
    ndarray, shape (n,)
        Ascending.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> simulate_hyperbolic(k=1.0, failure_time=10.0, end=9.9, events=4, rng=rng).round(2)
    array([4.85, 9.05, 9.87, 9.87])
    """
    return simulate_inverse_omori(
        k=k, failure_time=failure_time, p=1.0, end=end, start=start, events=events, rng=rng
    )


def simulate_inverse_omori(
    *,
    k: float,
    failure_time: float,
    p: float,
    end: float,
    start: float = 0.0,
    events: int | None = None,
    rng: np.random.Generator,
) -> FloatArray:
    """Draw events of the rate ``k (failure_time - t)^-p`` on [start, end).

    Parameters
    ----------
    k : float
        In the unit of time to the power ``p - 1``.
    failure_time : float
        After ``end``.
    p : float
        1 is the hyperbolic rate.
    start, end, events, rng
        As in `simulate_constant`.

    Returns
    -------
    ndarray, shape (n,)
        Ascending.
    """
    span = _span(start, end, k)
    after = failure_time - end
    if not (after > 0.0 and math.isfinite(after) and math.isfinite(p)):
        raise ValueError(f"failure_time {failure_time} is not after end {end}, or p is not finite")
    length = math.log1p(span / after)
    tilt = (p - 1.0) * length
    expected = k * after ** (1.0 - p) * length
    expected *= 1.0 if tilt == 0.0 else -math.expm1(-tilt) / tilt
    left = _shares_left(expected, events, rng)
    v = left if tilt == 0.0 else np.log1p(left * math.expm1(-tilt)) / -tilt
    return _times(end, after * np.expm1(length * v), start)


def gutenberg_richter(
    n: int, *, b: float, mc: float, rng: np.random.Generator, bin_width: float = 0.1
) -> FloatArray:
    """Draw magnitudes from the Gutenberg-Richter law.

    Parameters
    ----------
    n : int
        How many.
    b : float
        The slope, per unit of magnitude.
    mc : float
        The least magnitude.
    rng : numpy.random.Generator
        The source of chance.
    bin_width : float, default 0.1
        Magnitudes are rounded to ``mc`` plus a multiple of it; 0 leaves them
        continuous from ``mc`` on.

    Returns
    -------
    ndarray, shape (n,)

    Raises
    ------
    ValueError
        If ``b`` is not positive or ``bin_width`` is negative.

    Examples
    --------
    >>> gutenberg_richter(5, b=1.0, mc=1.0, rng=np.random.default_rng(1))
    array([1.4, 1.1, 3.3, 1.1, 1. ])
    """
    if not b > 0.0 or not bin_width >= 0.0:
        raise ValueError(f"b={b} must be positive and bin_width={bin_width} not negative")
    above = rng.standard_exponential(n) / (b * math.log(10.0))
    if bin_width == 0.0:
        return mc + above
    return np.round(mc + bin_width * np.floor(above / bin_width), 10)


def _span(start: float, end: float, k: float) -> float:
    if not (math.isfinite(start) and math.isfinite(end) and start < end):
        raise ValueError(f"the window [{start}, {end}) is empty or not finite")
    if not (k >= 0.0 and math.isfinite(k)):
        raise ValueError(f"k={k} must be finite and not negative")
    return end - start


def _shares_left(expected: float, events: int | None, rng: np.random.Generator) -> FloatArray:
    """Draw the shares of the expected events that are still to come, descending."""
    n = int(rng.poisson(expected)) if events is None else events
    return -np.sort(rng.random(n) - 1.0)


def _times(end: float, left: FloatArray, start: float) -> FloatArray:
    return np.clip(end - left, start, np.nextafter(end, -math.inf))
