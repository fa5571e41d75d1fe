"""The sums over events that the fits need, compiled where numba is installed.

An event is known by ``r = (T - t) / T`` in (0, 1], the share of the window that
is left. `compress` turns the events into moments on intervals that shrink
towards the window's end, once; every later sum costs as many terms as there are
intervals, and differs from the sum over events by less than 1e-14 of it.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from flowquake.pes.forecasting import _vector
from flowquake.pes.forecasting._backend import COMPILED, fast

FloatArray = npt.NDArray[np.float64]
Moments = tuple[FloatArray, FloatArray, FloatArray]

# The remainder after order 16 is below 0.1716 ** 17 / 17 = 6e-15.
EDGES = _vector.EDGES

if COMPILED:

    @fast
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
        centres, halves = np.empty(64), np.empty(64)
        moments = np.empty((17, 64))
        groups, first = 0, 0
        for j in range(64):
            low = EDGES[j + 1]
            last = first
            if r[r.size - 1] > low:
                last = r.size
            elif r[first] > low:
                step = 1
                while r[last] > low:
                    last = last + step
                    step = 2 * step
                    if last >= r.size:
                        last = r.size - 1
                bottom = first
                while last - bottom > 1:
                    middle = (last + bottom) // 2
                    if r[middle] > low:
                        bottom = middle
                    else:
                        last = middle
            if last == first:
                continue
            c, h = 0.5 * (EDGES[j] + low), 0.5 * (EDGES[j] - low)
            over = 1.0 / h
            m1 = m2 = m3 = m4 = m5 = m6 = m7 = m8 = 0.0
            m9 = m10 = m11 = m12 = m13 = m14 = m15 = m16 = 0.0
            for i in range(first, last):
                z = (r[i] - c) * over
                z2 = z * z
                z4 = z2 * z2
                z8 = z4 * z4
                z3, z5, z6, z7 = z2 * z, z4 * z, z4 * z2, z4 * z2 * z
                m1 += z
                m2 += z2
                m3 += z3
                m4 += z4
                m5 += z5
                m6 += z6
                m7 += z7
                m8 += z8
                m9 += z8 * z
                m10 += z8 * z2
                m11 += z8 * z3
                m12 += z8 * z4
                m13 += z8 * z5
                m14 += z8 * z6
                m15 += z8 * z7
                m16 += z8 * z8
            centres[groups], halves[groups] = c, h
            low_half = (m1, m2, m3, m4, m5, m6, m7, m8)
            high_half = (m9, m10, m11, m12, m13, m14, m15, m16)
            moments[0, groups] = last - first
            for n in range(8):
                moments[n + 1, groups] = low_half[n]
                moments[n + 9, groups] = high_half[n]
            groups += 1
            first = last
            if first == r.size:
                break
        return centres[:groups], halves[:groups], moments[:, :groups].copy()

    @fast
    def sums(
        delta: float, with_logs: bool, centres: FloatArray, halves: FloatArray, moments: FloatArray
    ) -> tuple[float, float]:
        """Sum ``ln(1 + r / delta)`` (NaN if not asked for) and ``1 / (delta + r)``."""
        logs, inverses = 0.0, 0.0
        for j in range(centres.size):
            distance = 1.0 / (delta + centres[j])
            x = -halves[j] * distance
            series = moments[16, j]
            for n in range(15, -1, -1):
                series = series * x + moments[n, j]
            inverses += series * distance
        if not with_logs:
            return math.nan, inverses
        for j in range(centres.size):
            x = -halves[j] / (delta + centres[j])
            tail = moments[16, j] / 16.0
            for n in range(15, 0, -1):
                tail = tail * x + moments[n, j] / n
            logs -= tail * x
        for j in range(centres.size):
            logs += moments[0, j] * math.log1p(centres[j] / delta)
        return logs, inverses

    @fast
    def grid_inverses(
        deltas: FloatArray, centres: FloatArray, halves: FloatArray, moments: FloatArray
    ) -> FloatArray:
        """Sum ``1 / (delta + r)`` over the events, for many deltas, to 1e-7 of it."""
        total = np.zeros(deltas.size)
        for j in range(centres.size):
            c, h = centres[j], halves[j]
            for i in range(deltas.size):
                distance = 1.0 / (deltas[i] + c)
                x = -h * distance
                series = moments[8, j]
                for n in range(7, -1, -1):
                    series = series * x + moments[n, j]
                total[i] += series * distance
        return total

    @fast
    def exact_logs(delta: float, r: FloatArray) -> float:
        """Sum ``ln(1 + r / delta)`` over the events one by one.

        Sixteen factors of at most 1 + 1e9 fit a double, so a logarithm is taken
        of each such product.
        """
        over = 1.0 / delta
        total = 0.0
        lanes = np.empty(16)
        whole = r.size // 256
        for block in range(whole):
            lanes[:] = 1.0
            for i in range(block * 256, block * 256 + 256, 16):
                for lane in range(16):
                    lanes[lane] *= 1.0 + r[i + lane] * over
            for lane in range(16):
                total += math.log(lanes[lane])
        i = whole * 256
        while i < r.size:
            product = 1.0
            for k in range(i, min(i + 16, r.size)):
                product *= 1.0 + r[k] * over
            total += math.log(product)
            i += 16
        return total

    @fast
    def time_left(
        times: FloatArray, duration: float, backwards: bool, r: FloatArray
    ) -> tuple[bool, bool]:
        """Fill r with the shares of the window left; say whether all lie in it and descend."""
        outside, rising = 0, 0
        over = 1.0 / duration
        for i in range(times.size):
            left = times[i] if backwards else duration - times[i]
            r[i] = left * over
            outside += not (left > 0.0 and left <= duration)
        for i in range(1, times.size):
            rising += r[i] > r[i - 1]
        return outside == 0, rising == 0

else:
    compress = _vector.compress
    sums = _vector.sums
    grid_inverses = _vector.grid_inverses
    exact_logs = _vector.exact_logs
    time_left = _vector.time_left
