"""The slope of the Gutenberg-Richter law, from magnitudes at or above a cutoff."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from flowquake.pes.magnitudes.binning import (
    DEFAULT_WIDTH,
    bin_magnitude,
    cutoff_bin,
    magnitude_bin,
)

_LN10 = math.log(10.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class BEstimate:
    """A b-value with what it rests on.

    Attributes
    ----------
    method : str
        ``"aki_utsu"``, ``"binned"`` or ``"b_positive"``.
    b : float or None
        The slope; None where the data give none (fewer than two values, or
        all of them in one bin).
    uncertainty : float or None
        One standard deviation after Shi and Bolt.
    mc : float
        The cutoff, on the grid.
    events : int
        Magnitudes (b-positive: differences) that were used.
    """

    method: str
    b: float | None
    uncertainty: float | None
    mc: float
    events: int


def aki_utsu(magnitudes: npt.ArrayLike, *, mc: float, width: float = DEFAULT_WIDTH) -> BEstimate:
    """Estimate b by maximum likelihood with Utsu's half-bin correction.

    ``b = log10(e) / (mean(M) - (mc - width / 2))`` over the magnitudes in the
    cutoff's bin or above [1]_ [2]_. The means are those of the magnitudes as
    given, so a fine `width` suits magnitudes that were never rounded.

    Parameters
    ----------
    magnitudes : array_like
        In any order; NaN is missing.
    mc : float
        Completeness magnitude, moved to the centre of its bin.
    width : float, default 0.1
        Width of a bin, magnitude units.

    Returns
    -------
    BEstimate
        `b` is None for fewer than two events or all in one bin.

    References
    ----------
    .. [1] Aki (1965), Bull. Earthq. Res. Inst. 43, 237-239.
    .. [2] Utsu (1966), Bull. Hokkaido Univ. 17, 85-112.

    Examples
    --------
    >>> round(aki_utsu([1.0, 1.1, 1.1, 1.5], mc=1.0).b, 4)
    1.9302
    """
    bins = magnitude_bin(magnitudes, width).ravel()
    lowest = cutoff_bin(mc, width)
    used = np.asarray(magnitudes, dtype=np.float64).ravel()[bins >= lowest]
    b = None
    if _has_spread(bins[bins >= lowest]):
        b = 1.0 / (_LN10 * (float(used.mean()) - (lowest - 0.5) * width))
    return _estimate("aki_utsu", b, used, lowest, width)


def binned_b(magnitudes: npt.ArrayLike, *, mc: float, width: float = DEFAULT_WIDTH) -> BEstimate:
    """Estimate b by the exact maximum likelihood for binned magnitudes.

    ``b = ln(1 + width / (mean(M) - mc)) / (width ln 10)``: the magnitudes of
    a Gutenberg-Richter law fall into bins by a geometric law [1]_ [2]_.

    Parameters
    ----------
    magnitudes : array_like
        In any order; NaN is missing. Rounded to bins first.
    mc : float
        Completeness magnitude, moved to the centre of its bin.
    width : float, default 0.1
        Width of a bin, magnitude units.

    Returns
    -------
    BEstimate
        `b` is None for fewer than two events or all in one bin.

    References
    ----------
    .. [1] Tinti and Mulargia (1987), BSSA 77, 2125-2134.
    .. [2] van der Elst (2021), JGR Solid Earth 126, doi:10.1029/2020JB021027.

    Examples
    --------
    >>> round(binned_b([1.0, 1.1, 1.1, 1.5], mc=1.0).b, 4)
    1.9629
    """
    bins = magnitude_bin(magnitudes, width).ravel()
    lowest = cutoff_bin(mc, width)
    used = bins[bins >= lowest]
    b = _geometric_b(used - lowest, width)
    return _estimate("binned", b, used.astype(np.float64) * width, lowest, width)


def b_positive(magnitudes: npt.ArrayLike, *, mc: float, width: float = DEFAULT_WIDTH) -> BEstimate:
    """Estimate b from the positive differences of successive magnitudes.

    Takes the magnitudes at or above `mc` in the order given, their
    differences of at least one bin, and the exact binned estimator on these
    [1]_. It stands short-term incompleteness better than the others.

    Parameters
    ----------
    magnitudes : array_like
        In catalog order (time, then place in the file); NaN is missing.
    mc : float
        Completeness magnitude, moved to the centre of its bin.
    width : float, default 0.1
        Width of a bin, magnitude units.

    Returns
    -------
    BEstimate
        `events` counts differences; the uncertainty is that of Shi and Bolt
        on the differences.

    References
    ----------
    .. [1] van der Elst (2021), B-positive: a robust estimator of aftershock
       magnitude distribution in transiently incomplete catalogs, JGR Solid
       Earth 126, doi:10.1029/2020JB021027.

    Examples
    --------
    >>> b_positive([1.0, 1.3, 1.1, 1.2, 0.2, 1.9], mc=1.0).events
    3
    """
    bins = magnitude_bin(magnitudes, width).ravel()
    lowest = cutoff_bin(mc, width)
    differences = np.diff(bins[bins >= lowest])
    used = differences[differences >= 1]
    b = _geometric_b(used - 1, width)
    return _estimate("b_positive", b, used.astype(np.float64) * width, lowest, width)


def shi_bolt(magnitudes: npt.ArrayLike, b: float) -> float | None:
    """Give the standard deviation of a b-value.

    ``ln(10) b^2 sqrt(sum (M_i - mean)^2 / (n (n - 1)))`` [1]_.

    Parameters
    ----------
    magnitudes : array_like
        The finite magnitudes that `b` was estimated from.
    b : float
        The estimate.

    Returns
    -------
    float or None
        None for fewer than two magnitudes.

    References
    ----------
    .. [1] Shi and Bolt (1982), The standard error of the
       magnitude-frequency b value, BSSA 72, 1677-1687.

    Examples
    --------
    >>> shi_bolt([1.0], 1.0) is None
    True
    """
    values = np.asarray(magnitudes, dtype=np.float64).ravel()
    if values.size < 2:
        return None
    spread = float(np.sum((values - values.mean()) ** 2))
    return _LN10 * b * b * math.sqrt(spread / (values.size * (values.size - 1)))


B_VALUE_METHODS = {"aki_utsu": aki_utsu, "binned": binned_b, "b_positive": b_positive}


def _has_spread(bins: npt.NDArray[np.int64]) -> bool:
    return bins.size >= 2 and bool(bins.min() < bins.max())


def _geometric_b(steps: npt.NDArray[np.int64], width: float) -> float | None:
    """Estimate b from numbers of bins above the lowest one."""
    if not _has_spread(steps):
        return None
    return math.log1p(1.0 / float(steps.mean())) / (width * _LN10)


def _estimate(
    method: str,
    b: float | None,
    used: npt.NDArray[np.float64],
    lowest: int,
    width: float,
) -> BEstimate:
    return BEstimate(
        method=method,
        b=b,
        uncertainty=None if b is None else shi_bolt(used, b),
        mc=bin_magnitude(lowest, width),
        events=int(used.size),
    )
