"""The density ``exp(-x v)`` on [0, 1], to which every model's events can be turned.

Its variable v is the share of the window that is left (constant rate, x = 0;
exponential, x the growth over the window) or ``ln(1 + r / delta) / L``
(hyperbolic, x = 0; inverse Omori, x = (p - 1) L).
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from flowquake.pes.forecasting import _vector
from flowquake.pes.forecasting._backend import COMPILED, jit

FloatArray = npt.NDArray[np.float64]


@jit
def truncated_mean(x: float) -> float:
    """Give the mean of the density proportional to ``exp(-x v)`` on [0, 1]."""
    if abs(x) < 0.5:
        s = x * x
        series = 1.0 / 74724249600.0 - s * 3617.0 / 10670622842880000.0
        series = 1.0 / 47900160.0 - s * (691.0 / 1307674368000.0 - s * series)
        series = 1.0 / 30240.0 - s * (1.0 / 1209600.0 - s * series)
        return 0.5 - x * (1.0 / 12.0 - s * (1.0 / 720.0 - s * series))
    if x > 700.0:
        return 1.0 / x
    if x < -700.0:
        return 1.0 + 1.0 / x
    return 1.0 / x - 1.0 / math.expm1(x)


@jit
def tilt_of_mean(mean: float) -> float:
    """Invert `truncated_mean`: Newton's method from Cohen's inverse Langevin function."""
    if mean > 0.5:
        return -tilt_of_small_mean(max(1.0 - mean, 1e-300))
    return tilt_of_small_mean(max(mean, 1e-300))


@jit
def tilt_of_small_mean(mean: float) -> float:
    """Invert `truncated_mean` for a mean of at most one half."""
    tilt = 0.0
    if mean < 1e-3:
        tilt = 1.0 / mean
    else:
        skew = 1.0 - 2.0 * mean
        tilt = skew * (3.0 - skew * skew) / (mean * (1.0 + skew))
    for _ in range(8):
        if tilt < 1e-2:
            slope = 1.0 / 12.0 - tilt * tilt / 240.0
        elif tilt > 700.0:
            slope = 1.0 / (tilt * tilt)
        else:
            slope = 1.0 / (tilt * tilt) - 0.25 / math.sinh(0.5 * tilt) ** 2
        move = (truncated_mean(tilt) - mean) / slope
        tilt += move
        if abs(move) <= 1e-15 * abs(tilt):
            break
    return tilt


@jit
def log_mass(x: float) -> float:
    """Give ``ln`` of the integral of ``exp(-x v)`` over [0, 1]."""
    if x == 0.0:
        return 0.0
    size = abs(x)
    return math.log(-math.expm1(-size) / size) + max(-x, 0.0)


@jit
def uniform(delta: float, length: float, tilt: float, r: float) -> float:
    """Give the share of the fitted events that come before the time left is r.

    A length of 0 stands for the models that have no failure time.
    """
    v = r
    if length > 0.0:
        v = math.log1p(r / delta) / length
    if tilt == 0.0:
        return 1.0 - v
    if tilt > 0.0:
        return 1.0 - math.expm1(-tilt * v) / math.expm1(-tilt)
    return math.expm1(tilt * (1.0 - v)) / math.expm1(tilt)


if COMPILED:

    @jit
    def distance_to_uniform(delta: float, length: float, tilt: float, r: FloatArray) -> float:
        """Give the sup distance of the transformed times to the uniform distribution.

        The fitted curve is evaluated at every few events; between them both it
        and the count can only grow, so only stretches that could hold a larger
        distance are looked at more closely.
        """
        n = r.size
        step = max(4, int(math.sqrt(n) / 2.0))
        blocks = (n + step - 1) // step
        place = np.empty(blocks + 1, dtype=np.int64)
        u = np.empty(blocks + 1)
        largest = 0.0
        for b in range(blocks + 1):
            i = min(b * step, n - 1)
            place[b], u[b] = i, uniform(delta, length, tilt, r[i])
            largest = max(largest, max((i + 1) / n - u[b], u[b] - i / n))
        stack = np.empty(64, dtype=np.int64)
        shares = np.empty(64)
        for b in range(blocks):
            # Halve the block, and then its halves, while a larger distance could be inside.
            i, at_i = place[b], u[b]
            stack[0], shares[0], depth = place[b + 1], u[b + 1], 1
            while depth > 0:
                j, at_j = stack[depth - 1], shares[depth - 1]
                if j - i < 2 or max(j / n - at_i, at_j - (i + 1) / n) <= largest:
                    i, at_i, depth = j, at_j, depth - 1
                    continue
                k = (i + j) // 2
                at_k = uniform(delta, length, tilt, r[k])
                largest = max(largest, max((k + 1) / n - at_k, at_k - k / n))
                stack[depth], shares[depth], depth = k, at_k, depth + 1
        return float(largest)

else:
    distance_to_uniform = _vector.distance_to_uniform
