"""The profile likelihood and its search: the numbers behind every fit.

Time is measured backwards from the window's end in units of the window's
length: an event has ``r = (T - t) / T`` in (0, 1], the failure time is
``delta = (t_f - T) / T`` and the search runs over ``u = ln(delta)``. With
``L = ln(1 + 1 / delta)``, ``y = ln(1 + r / delta)`` and ``q = p - 1`` the
inverse Omori events have the density ``exp(-q y)`` on [0, L] in y, so p is
found from the mean of y alone, and ``sum(y)`` and ``sum(1 / (delta + r))`` are
all that a step of the search needs.

With numba each function is compiled; without it the functions that meet whole
arrays come from `_vector`, and the rest runs as it stands.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from flowquake.pes.forecasting._backend import fingerprint, jit, kept
from flowquake.pes.forecasting._sums import (
    Moments,
    compress,
    exact_logs,
    grid_inverses,
    sums,
    time_left,
)
from flowquake.pes.forecasting._tilt import distance_to_uniform, log_mass, tilt_of_mean

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
FitRows = Callable[
    [int, FloatArray, bool, IntArray, FloatArray, FloatArray, float, FloatArray], int
]

CONSTANT, EXPONENTIAL, HYPERBOLIC, INVERSE_OMORI = 0, 1, 2, 3
TOO_FEW, NO_ACCELERATION, NO_FAILURE_TIME, AT_WINDOW_END, FORECAST = 0, 1, 2, 3, 5
MIN_EVENTS = 10
DELTA_MIN, DELTA_MAX, DELTA_MAX_OMORI, DELTA_AT_END = 1e-9, 1e4, 1e3, 1e-6
P_MIN, P_MAX = 0.05, 12.0
EVIDENCE_TWO, EVIDENCE_THREE = 2.7055, 4.61  # against the constant rate; 90 %, 1 and 2 d.o.f.
DONE, UNORDERED = -1, -2
# Columns of a result row: the status, the number of events, the log-likelihood over
# the constant rate's, (t_f - T) / T, p, the tilt, L, (t_f - T) / T at the interval's
# ends, and the distance to the uniform distribution.
CODE, EVENTS, GAIN, DELTA, POWER, TILT, LENGTH, LOWER, UPPER, KS, COLUMNS = range(11)

U_MIN = math.log(DELTA_MIN)
GRID = np.linspace(U_MIN, math.log(DELTA_MAX), 61)
GRID_OMORI = np.linspace(U_MIN, math.log(DELTA_MAX_OMORI), 57)
GRID_DELTAS = np.exp(GRID)
GRID_MEANS = 1.0 / ((1.0 + GRID_DELTAS) * np.log1p(1.0 / GRID_DELTAS))


@jit
def best_tilt(mean_log: float, length: float) -> float:
    """Give the inverse Omori tilt ``(p - 1) L`` that fits the mean of y, p kept in its domain."""
    tilt = tilt_of_mean(mean_log / length)
    return min(max(tilt, (P_MIN - 1.0) * length), (P_MAX - 1.0) * length)


@jit
def gain_and_slope(
    kind: int, n: int, delta: float, logs: float, inverses: float
) -> tuple[float, float, float]:
    """Give the log-likelihood over the constant rate's, d/du of it, and the tilt."""
    length = math.log1p(1.0 / delta)
    if kind == HYPERBOLIC:
        gain = -n * math.log(delta * length) - logs
        return gain, n / ((1.0 + delta) * length) - delta * inverses, 0.0
    tilt = best_tilt(logs / n, length)
    p = 1.0 + tilt / length
    mass = log_mass(tilt)
    gain = -n * (math.log(delta * length) + mass) - p * logs
    slope = -n * math.expm1(-p * length) / (length * math.exp(mass)) - p * delta * inverses
    return gain, slope, tilt


@jit
def profile(kind: int, u: float, n: int, events: Moments) -> tuple[float, float]:
    """Give the profile log-likelihood over the constant rate's, and its derivative, at u."""
    delta = math.exp(u)
    logs, inverses = sums(delta, True, *events)
    gain, slope, _ = gain_and_slope(kind, n, delta, logs, inverses)
    return gain, slope


@jit
def height(kind: int, level: float, u: float, n: int, events: Moments) -> float:
    """Give the gain less a level, or the slope where the level is NaN."""
    if not math.isnan(level):
        return profile(kind, u, n, events)[0] - level
    delta = math.exp(u)
    logs, inverses = sums(delta, kind != HYPERBOLIC, *events)
    return gain_and_slope(kind, n, delta, logs, inverses)[1]


@jit
def root(
    kind: int,
    level: float,
    left: float,
    right: float,
    n: int,
    events: Moments,
) -> float:
    """Find where the slope (level NaN) or the gain less level is zero, in a bracket.

    Chandrupatla's method: inverse quadratic steps, halved where these would fail.
    """
    fa = height(kind, level, left, n, events)
    fb = height(kind, level, right, n, events)
    a, b, t = left, right, 0.5
    if fa != fb:
        t = min(max(fa / (fa - fb), 0.05), 0.95)
    for _ in range(80):
        x = a + t * (b - a)
        f = height(kind, level, x, n, events)
        if (f > 0.0) == (fa > 0.0):
            c, fc = a, fa
        else:
            c, fc, b, fb = b, fb, a, fa
        a, fa = x, f
        best = a if abs(fa) < abs(fb) else b
        tolerance = (4e-16 * abs(best) + 1e-15) / max(abs(b - a), 1e-300)
        if tolerance > 0.5 or min(abs(fa), abs(fb)) == 0.0:
            return best
        xi, phi = (a - b) / (c - b), (fa - fb) / (fc - fb)
        t = 0.5
        if phi * phi < xi and (1.0 - phi) ** 2 < 1.0 - xi:
            t = fa / (fb - fa) * fc / (fb - fc)
            t += (c - a) / (b - a) * fa / (fc - fa) * fb / (fc - fb)
        t = min(max(t, tolerance), 1.0 - tolerance)
    return a if abs(fa) < abs(fb) else b


@jit
def grid_slopes(kind: int, grid: FloatArray, n: int, events: Moments) -> FloatArray:
    """Give d/du of the profile on the whole domain's grid."""
    if kind == HYPERBOLIC:
        return n * GRID_MEANS - GRID_DELTAS * grid_inverses(GRID_DELTAS, *events)
    slopes = np.empty(grid.size)
    for i in range(grid.size):
        slopes[i] = profile(kind, grid[i], n, events)[1]
    return slopes


@jit
def candidate(
    kind: int, i: int, grid: FloatArray, slopes: FloatArray, n: int, events: Moments
) -> float:
    """Find a maximum of the profile at the ith grid point or just before it; NaN if none."""
    last = grid.size - 1
    s = slopes[i]
    if (i == 0 and s <= 0.0) or (i == last and s > 0.0):
        return float(grid[i])
    if i > 0 and slopes[i - 1] > 0.0 and s <= 0.0:
        return root(kind, math.nan, grid[i - 1], grid[i], n, events)
    if 0 < i < last and abs(s) < min(abs(slopes[i - 1]), abs(slopes[i + 1])):
        before, after = slopes[i - 1], slopes[i + 1]
        bend = before - 2.0 * s + after
        vertex = s - 0.125 * (before - after) ** 2 / bend
        if before * s > 0.0 and s * after > 0.0 and vertex * s < 0.2 * s * s:
            # The slope all but touches zero: a pair of extrema may hide between points.
            u = grid[i] + 0.5 * (before - after) / bend * (grid[1] - grid[0])
            hidden = profile(kind, u, n, events)[1]
            if s > 0.0 and hidden < 0.0:
                return root(kind, math.nan, grid[i - 1], u, n, events)
            if s < 0.0 and hidden > 0.0:
                return root(kind, math.nan, u, grid[i + 1], n, events)
    return math.nan


@jit
def highest(kind: int, grid: FloatArray, slopes: FloatArray, n: int, events: Moments) -> float:
    """Find u of the highest of all the profile's maxima."""
    best_u, best_gain = grid[0], -math.inf
    for i in range(grid.size):
        u = candidate(kind, i, grid, slopes, n, events)
        if not math.isnan(u):
            gain = profile(kind, u, n, events)[0]
            if gain > best_gain:
                best_u, best_gain = u, gain
    return float(best_u)


@jit
def crossing(
    kind: int,
    level: float,
    start: float,
    step: int,
    grid: FloatArray,
    slopes: FloatArray,
    n: int,
    events: Moments,
) -> float:
    """Walk from the maximum until the profile first falls below a level; NaN if it never does."""
    inner = start
    for k in range(grid.size):
        i = k if step > 0 else grid.size - 1 - k
        if (grid[i] - start) * step <= 0.0:
            continue
        gain = profile(kind, grid[i], n, events)[0]
        if gain < level:
            return root(kind, level, grid[i], inner, n, events)
        # The profile rises again towards grid[i]: it may have dipped below in between.
        if slopes[i] * step > 0.0:
            slope = profile(kind, inner, n, events)[1]
            if slope * step < 0.0:
                dip = root(kind, math.nan, grid[i], inner, n, events)
                if profile(kind, dip, n, events)[0] < level:
                    return root(kind, level, dip, inner, n, events)
        inner = grid[i]
    return math.nan


@jit
def status_code(
    kind: int, given: bool, evidence: float, delta: float, tilt: float, p: float
) -> int:
    """Give the first status that applies; whether the fit is adequate is asked elsewhere."""
    if kind == CONSTANT or (kind == EXPONENTIAL and tilt <= 0.0):
        return NO_ACCELERATION
    if kind == INVERSE_OMORI:
        if evidence < EVIDENCE_THREE or p <= P_MIN * (1.0 + 1e-9):
            return NO_ACCELERATION
        if p >= P_MAX * (1.0 - 1e-9):
            return NO_FAILURE_TIME
    elif evidence < EVIDENCE_TWO:
        return NO_ACCELERATION
    top = DELTA_MAX if kind == HYPERBOLIC else DELTA_MAX_OMORI
    if kind == EXPONENTIAL or (not given and delta >= top * (1.0 - 1e-9)):
        return NO_FAILURE_TIME
    return AT_WINDOW_END if delta < DELTA_AT_END else FORECAST


@jit
def fit_row(kind: int, r: FloatArray, given: float, drop: float, row: FloatArray) -> None:
    """Fit one sequence.

    Parameters
    ----------
    kind : int
        The model.
    r : ndarray, shape (n,)
        Time left to the window's end, descending, in (0, 1].
    given : float
        delta of a given failure time, or NaN.
    drop : float
        How far the profile falls to the interval's ends; NaN for no interval.
    row : ndarray, shape (10,)
        Filled with the columns named above.
    """
    n = r.size
    row[:] = math.nan
    row[EVENTS] = n
    if n < MIN_EVENTS or r[0] == r[n - 1]:
        row[CODE] = TOO_FEW
        return
    gain, delta, tilt, p, length = 0.0, math.nan, 0.0, 0.0, 0.0
    if kind == EXPONENTIAL:
        mean = float(np.mean(r))
        tilt = tilt_of_mean(mean)
        gain = -n * (log_mass(tilt) + tilt * mean)
    elif kind >= HYPERBOLIC:
        delta = given
        if math.isnan(given):
            delta = search(kind, r, drop, row)
        length = math.log1p(1.0 / delta)
        logs = exact_logs(delta, r)
        gain, _, tilt = gain_and_slope(kind, n, delta, logs, 0.0)
        p = 1.0 + tilt / length
    row[CODE] = status_code(kind, not math.isnan(given), 2.0 * gain, delta, tilt, p)
    row[GAIN], row[DELTA], row[POWER], row[TILT], row[LENGTH] = gain, delta, p, tilt, length
    row[KS] = distance_to_uniform(delta, length, tilt, r)


@jit
def search(kind: int, r: FloatArray, drop: float, row: FloatArray) -> float:
    """Find delta at the highest maximum and, unless drop is NaN, the interval around it."""
    n = r.size
    grid = GRID if kind == HYPERBOLIC else GRID_OMORI
    events = compress(r)
    slopes = grid_slopes(kind, grid, n, events)
    u = highest(kind, grid, slopes, n, events)
    if not math.isnan(drop):
        level = profile(kind, u, n, events)[0] - drop
        row[LOWER] = math.exp(crossing(kind, level, u, -1, grid, slopes, n, events))
        row[UPPER] = math.exp(crossing(kind, level, u, 1, grid, slopes, n, events))
    return math.exp(u)


def _make_fit_rows(sources: str) -> FitRows:
    @kept
    def fit_rows(
        kind: int,
        times: FloatArray,
        backwards: bool,
        offsets: IntArray,
        durations: FloatArray,
        given: FloatArray,
        drop: float,
        rows: FloatArray,
    ) -> int:
        """Fit many sequences, one row each.

        Parameters
        ----------
        kind : int
            The model.
        times : ndarray, shape (n,)
            Since each sequence's window start; backwards: left to its end.
        offsets : ndarray, shape (m + 1,)
            Sequence k is ``times[offsets[k]:offsets[k + 1]]``.
        durations, given : ndarray, shape (m,)
            Window lengths; delta of a given failure time, or NaN.
        drop : float
            See `fit_row`.
        rows : ndarray, shape (m, 10)
            Filled.

        Returns
        -------
        int
            The first sequence with a time outside its window, -1 if there is none,
            or -2 at the first whose times do not ascend.
        """
        longest = 0 if sources else -1
        for k in range(durations.size):
            longest = max(longest, offsets[k + 1] - offsets[k])
        buffer = np.empty(longest)
        for k in range(durations.size):
            r = buffer[: offsets[k + 1] - offsets[k]]
            inside, ordered = time_left(
                times[offsets[k] : offsets[k + 1]], durations[k], backwards, r
            )
            if not inside:
                return k
            if not ordered:
                return UNORDERED
            fit_row(kind, r, given[k], drop, rows[k])
        return DONE

    return fit_rows


fit_rows = _make_fit_rows(fingerprint())
