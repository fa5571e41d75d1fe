"""Magnitudes on an integer grid, so that no cutoff ever compares floats."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

DEFAULT_WIDTH = 0.1
MISSING_BIN = int(np.iinfo(np.int64).min)
LARGEST = 1e6  # cutoff that is taken for one; acoustic emissions have large sizes
_LARGEST_BIN = 2.0**62


def magnitude_bin(magnitude: npt.ArrayLike, width: float = DEFAULT_WIDTH) -> npt.NDArray[np.int64]:
    """Give the number of the grid bin that each magnitude lies in.

    Bin ``k`` is centred on ``k * width``: ``floor(M / width + 0.5 + 1e-9)``.
    The small term puts a magnitude that sits on an edge, but for the last
    binary digit, into the upper bin.

    Parameters
    ----------
    magnitude : array_like, any shape
        Magnitudes; NaN and infinite ones have no bin.
    width : float, default 0.1
        Width of a bin, magnitude units, positive.

    Returns
    -------
    ndarray of int64, the shape of `magnitude`
        ``MISSING_BIN`` where there is no magnitude.

    Raises
    ------
    ValueError
        If `width` is not a positive finite number.

    Examples
    --------
    >>> magnitude_bin([1.2, 1.25, -0.1, 0.3]).tolist()
    [12, 13, -1, 3]
    >>> int(magnitude_bin(float("nan"))) == MISSING_BIN
    True
    """
    if not (np.isfinite(width) and width > 0):
        raise ValueError(f"width={width} must be a positive number")
    values = np.asarray(magnitude, dtype=np.float64)
    with np.errstate(over="ignore", invalid="ignore"):
        scaled = np.floor(values / width + (0.5 + 1e-9))
    known = np.isfinite(values) & (np.abs(scaled) < _LARGEST_BIN)
    bins = np.full(values.shape, MISSING_BIN, dtype=np.int64)
    bins[known] = scaled[known].astype(np.int64)
    return bins


def bin_magnitude(number: int, width: float = DEFAULT_WIDTH) -> float:
    """Give the magnitude at the centre of bin `number`, without binary noise.

    Examples
    --------
    >>> bin_magnitude(12)
    1.2
    """
    return float(round(int(number) * width, 10)) + 0.0


def at_or_above(
    magnitude: npt.ArrayLike, cutoff: float, width: float = DEFAULT_WIDTH
) -> npt.NDArray[np.bool_]:
    """Tell which magnitudes lie in the cutoff's bin or above it.

    Parameters
    ----------
    magnitude : array_like, any shape
        Magnitudes; a missing one (NaN) is never at or above a cutoff.
    cutoff : float
        The magnitude whose bin is the lowest that is kept.
    width : float, default 0.1
        Width of a bin, magnitude units.

    Returns
    -------
    ndarray of bool, the shape of `magnitude`

    Raises
    ------
    ValueError
        If `cutoff` is not finite or `width` not positive.

    Examples
    --------
    >>> at_or_above([1.1, 1.2, 0.1 * 12, float("nan")], 1.2).tolist()
    [False, True, True, False]
    """
    return magnitude_bin(magnitude, width) >= cutoff_bin(cutoff, width)


def cutoff_bin(cutoff: float, width: float = DEFAULT_WIDTH) -> int:
    """Give the bin of a cutoff, which must be a finite number."""
    number = int(magnitude_bin(cutoff, width))
    if number == MISSING_BIN:
        raise ValueError(f"cutoff={cutoff} must be a finite magnitude")
    return number


def known_bins(magnitude: npt.ArrayLike, width: float = DEFAULT_WIDTH) -> npt.NDArray[np.int64]:
    """Give the bins of the magnitudes that are known, in their order, flat."""
    bins = magnitude_bin(magnitude, width).ravel()
    known: npt.NDArray[np.int64] = bins[bins != MISSING_BIN]
    return known
