"""Whether a fitted model describes its events: the Kolmogorov distance and its p-values.

The times are turned by the fitted model into numbers that are uniform on [0, 1)
if the model is right. Because the same events made the fit, their distance D to
the uniform distribution is smaller than that of events which did not: the
textbook p-value is far too kind. `p_values` looks D up among fits to simulated
sequences (`_adequacy_table`), by model, number of events, and the fitted L, x or
p that the distribution depends on; `p_value_naive` is the textbook one.
"""

from __future__ import annotations

import functools
import itertools
import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
SIGNIFICANCE = 0.01  # below it a fit is called not adequate

_SCALES: Mapping[str, Callable[[FloatArray], FloatArray]] = {
    "n": lambda n: -1.0 / np.sqrt(n),
    "length": np.log1p,
    "tilt": lambda x: np.log1p(np.abs(x)),
    "power": np.log,
}


@dataclass(frozen=True, slots=True)
class _Family:
    """Quantiles of D sqrt(n), squared, on a grid of scaled axes; the last axis is the tail."""

    axes: Mapping[str, FloatArray]
    squares: FloatArray
    log_tail: FloatArray

    def p_values(self, place: Mapping[str, FloatArray], squared: FloatArray) -> FloatArray:
        """Interpolate between the cells, then in the tail; beyond it follow its slope."""
        at = np.zeros((squared.size, self.log_tail.size))
        lower, weights = [], []
        for name, grid in self.axes.items():
            x = _SCALES[name](place[name])
            i = np.clip(np.searchsorted(grid, x, side="right") - 1, 0, grid.size - 2)
            lower.append(i)
            weights.append(np.clip((x - grid[i]) / (grid[i + 1] - grid[i]), 0.0, 1.0))
        for corner in itertools.product((0, 1), repeat=len(lower)):
            weight = np.ones(squared.size)
            for up, w in zip(corner, weights, strict=True):
                weight *= w if up else 1.0 - w
            where = tuple(i + up for i, up in zip(lower, corner, strict=True))
            at += weight[:, None] * self.squares[where]
        chances: FloatArray = np.exp(self._log_p(at, squared))
        return chances

    def _log_p(self, at: FloatArray, squared: FloatArray) -> FloatArray:
        # From p = 1 at D = 0; the tail of such a distance falls as exp(-c D^2).
        x = np.hstack([np.zeros((squared.size, 1)), at])
        y = np.append(0.0, self.log_tail)
        i = np.clip((squared[:, None] >= x).sum(axis=1) - 1, 0, y.size - 2)
        row = np.arange(squared.size)
        slope = (y[i + 1] - y[i]) / (x[row, i + 1] - x[row, i])
        inside = y[i] + slope * (squared - x[row, i])
        bend = int(np.searchsorted(-self.log_tail, -math.log(0.05)))
        fall = (y[-1] - y[bend + 1]) / (x[:, -1] - x[:, bend + 1])
        beyond = y[-1] + fall * (squared - x[:, -1])
        logs: FloatArray = np.where(squared > x[:, -1], beyond, inside)
        return logs


@functools.cache
def _families() -> dict[str, _Family]:
    table = json.loads(Path(__file__).with_name("adequacy.json").read_text())
    log_tail = np.log(np.array(table["tail"]))
    families = {}
    for name, family in table["families"].items():
        axes = {axis: np.array(grid) for axis, grid in family["axes"].items()}
        shape = (*(grid.size for grid in axes.values()), log_tail.size)
        squares = np.array(family["quantiles"]).reshape(shape) ** 2
        scaled = {axis: _SCALES[axis](grid) for axis, grid in axes.items()}
        families[name] = _Family(scaled, squares, log_tail)
    return families


def p_values(
    model: str,
    *,
    events: npt.ArrayLike,
    ks: npt.ArrayLike,
    length: npt.ArrayLike,
    tilt: npt.ArrayLike,
    power: npt.ArrayLike,
    given: bool = False,
) -> FloatArray:
    """Give the chance that the right model's fit strays as far from its events.

    Parameters
    ----------
    model : str
        ``constant``, ``exponential``, ``hyperbolic`` or ``inverse_omori``.
    events : array_like, shape (m,)
        Numbers of events, at least 10; above 10 000 the table's last is taken.
    ks : array_like, shape (m,)
        Sup distances to the uniform distribution.
    length : array_like, shape (m,)
        ``ln(1 + T / (t_f - T))`` of the fits (hyperbolic, inverse Omori).
    tilt : array_like, shape (m,)
        The growth over the window (exponential), ``(p - 1) length`` (inverse Omori).
    power : array_like, shape (m,)
        p of the fits (inverse Omori).
    given : bool, default False
        Whether the failure time was given.

    Returns
    -------
    ndarray, shape (m,)
        Beyond the table, whose least is 0.002, they follow a fitted tail
        ``exp(-c D^2)``: an order of magnitude, no more.
    """
    family = {
        ("constant", False): "uniform",
        ("exponential", False): "tilt",
        ("hyperbolic", True): "uniform",
        ("inverse_omori", True): "tilt",
    }.get((model, given and model in ("hyperbolic", "inverse_omori")), model)
    n = np.asarray(events, dtype=np.float64)
    place = {
        "n": n,
        "length": np.asarray(length, dtype=np.float64),
        "tilt": np.asarray(tilt, dtype=np.float64),
        "power": np.asarray(power, dtype=np.float64),
    }
    squared = n * np.asarray(ks, dtype=np.float64) ** 2
    return _families()[family].p_values(place, squared)


def p_value_naive(ks: float, events: int) -> float:
    """Give the textbook p-value, for a model that was not fitted to the events.

    Kolmogorov's distribution with Stephens' correction for finite n [1]_.

    Parameters
    ----------
    ks : float
        Sup distance to the uniform distribution.
    events : int
        Their number.

    References
    ----------
    .. [1] Stephens (1970), Use of the Kolmogorov-Smirnov, Cramer-von Mises and
       related statistics without extensive tables, J. R. Stat. Soc. B 32, 115-122.

    Examples
    --------
    >>> round(p_value_naive(0.1, 100), 3)
    0.256
    """
    root = math.sqrt(events)
    x = (root + 0.12 + 0.11 / root) * ks
    if x < 0.2:
        return 1.0
    if x < 1.0:
        terms = (math.exp(-((2 * j - 1) ** 2) * math.pi**2 / (8.0 * x * x)) for j in (1, 2, 3))
        return 1.0 - math.sqrt(2.0 * math.pi) / x * sum(terms)
    signs = (1.0, -1.0, 1.0, -1.0)
    return 2.0 * sum(s * math.exp(-2.0 * j * j * x * x) for j, s in enumerate(signs, start=1))
