"""The sums of `_sums` in numpy, for machines without numba."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
_ORDER = 16
EDGES = np.append(2.0 ** (-0.5 * np.arange(64)), 0.0)


def compress(r: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Sum ``z ** n`` of the events, z their place in half-octave intervals of r.

    Parameters
    ----------
    r : ndarray, shape (n,)
        Time left to the window's end, descending, in (0, 1].

    Returns
    -------
    centres, halves : ndarray, shape (g,)
        Of the intervals that hold events: ``r = centre + half * z``.
    moments : ndarray, shape (17, g)
        The zeroth is the count.
    """
    first = np.searchsorted(-r, -EDGES, side="left")
    first[0] = 0
    held = np.flatnonzero(np.diff(first))
    counts = np.diff(first)[held]
    centres = 0.5 * (EDGES[held] + EDGES[held + 1])
    halves = 0.5 * (EDGES[held] - EDGES[held + 1])
    z = (r - np.repeat(centres, counts)) * np.repeat(1.0 / halves, counts)
    moments = np.empty((_ORDER + 1, held.size))
    moments[0] = counts
    power = np.ones_like(z)
    for n in range(1, _ORDER + 1):
        power *= z
        moments[n] = np.add.reduceat(power, first[held])
    return centres, halves, moments


def _series(x: FloatArray, moments: FloatArray, order: int) -> FloatArray:
    total = np.broadcast_to(moments[order], x.shape).copy()
    for n in range(order - 1, -1, -1):
        total *= x
        total += moments[n]
    return total


def sums(
    delta: float, with_logs: bool, centres: FloatArray, halves: FloatArray, moments: FloatArray
) -> tuple[float, float]:
    """Sum ``ln(1 + r / delta)`` (NaN if not asked for) and ``1 / (delta + r)``."""
    distance = 1.0 / (delta + centres)
    powers = np.vander(-halves * distance, _ORDER + 1, increasing=True).T
    terms = powers * moments
    inverses = float(distance @ terms.sum(axis=0))
    if not with_logs:
        return math.nan, inverses
    tail = (terms[1:] / np.arange(1.0, _ORDER + 1.0)[:, None]).sum(axis=0)
    logs = float((moments[0] * np.log1p(centres / delta) - tail).sum())
    return logs, inverses


def grid_inverses(
    deltas: FloatArray, centres: FloatArray, halves: FloatArray, moments: FloatArray
) -> FloatArray:
    """Sum ``1 / (delta + r)`` over the events, for many deltas, to 1e-7 of it."""
    distance = 1.0 / (deltas[:, None] + centres)
    total: FloatArray = (_series(-halves * distance, moments, 8) * distance).sum(axis=1)
    return total


def exact_logs(delta: float, r: FloatArray) -> float:
    """Sum ``ln(1 + r / delta)`` over the events one by one."""
    return float(np.log1p(r * (1.0 / delta)).sum())


def distance_to_uniform(delta: float, length: float, tilt: float, r: FloatArray) -> float:
    """Give the sup distance of the transformed times to the uniform distribution."""
    n = r.size
    v = np.log1p(r / delta) / length if length > 0.0 else r
    if tilt == 0.0:
        u = 1.0 - v
    elif tilt > 0.0:
        u = 1.0 - np.expm1(-tilt * v) / math.expm1(-tilt)
    else:
        u = np.expm1(tilt * (1.0 - v)) / math.expm1(tilt)
    rank = np.arange(n + 1) / n
    return float(max((rank[1:] - u).max(), (u - rank[:-1]).max()))


def time_left(
    times: FloatArray, duration: float, backwards: bool, r: FloatArray
) -> tuple[bool, bool]:
    """Fill r with the shares of the window left; say whether all lie in it and descend."""
    left = times if backwards else duration - times
    r[:] = left * (1.0 / duration)
    inside = bool(np.all((left > 0.0) & (left <= duration)))
    return inside, bool(np.all(r[1:] <= r[:-1]))
