"""The magnitude above which a catalog is complete, by three methods."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from flowquake.pes.magnitudes.binning import DEFAULT_WIDTH, bin_magnitude, known_bins

_LN10 = math.log(10.0)
GOODNESS_LEVELS = (95.0, 90.0)
_MOST_BINS = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class CompletenessEstimate:
    """A completeness magnitude with what it rests on.

    Attributes
    ----------
    method : str
        ``"maxc"``, ``"gft"`` or ``"mbs"``.
    mc : float or None
        The completeness magnitude, `correction` added; None if the method
        finds none.
    mc_uncorrected : float or None
        The method's own answer.
    correction : float
        What was added to it, magnitude units.
    events : int
        Events with a magnitude.
    events_above : int
        Those at or above `mc`; 0 without one.
    score : float or None
        gft: the goodness of fit at `mc`, per cent. mbs: ``|mean b - b|``.
    """

    method: str
    mc: float | None
    mc_uncorrected: float | None
    correction: float
    events: int
    events_above: int
    score: float | None = None


def maximum_curvature(
    magnitudes: npt.ArrayLike, *, width: float = DEFAULT_WIDTH, correction: float = 0.0
) -> CompletenessEstimate:
    """Find the lowest of the most populated magnitude bins.

    Parameters
    ----------
    magnitudes : array_like
        In any order; NaN is missing.
    width : float, default 0.1
        Width of a bin, magnitude units.
    correction : float, default 0.0
        Added to the answer, in whole bins; 0.2 is usual [2]_, since the
        method is known to come out low.

    Returns
    -------
    CompletenessEstimate

    References
    ----------
    .. [1] Wiemer and Wyss (2000), Minimum magnitude of completeness in
       earthquake catalogs, BSSA 90, 859-869, doi:10.1785/0119990114.
    .. [2] Woessner and Wiemer (2005), Assessing the quality of earthquake
       catalogues, BSSA 95, 684-698, doi:10.1785/0120040007.

    Examples
    --------
    >>> maximum_curvature([0.9, 1.0, 1.0, 1.2, 1.2, 1.4], correction=0.2).mc
    1.2
    """
    grid = _Grid.of(magnitudes, width)
    return grid.estimate("maxc", grid.most_populated(), correction=correction)


def goodness_of_fit(
    magnitudes: npt.ArrayLike, *, width: float = DEFAULT_WIDTH
) -> CompletenessEstimate:
    """Find the lowest cutoff above which the Gutenberg-Richter law fits.

    At each cutoff from 0.4 below the maximum curvature to 1.9 above it, the
    cumulative numbers ``B_i`` in the bins from there on are compared with
    ``S_i`` of the law with the Aki-Utsu b of the same events:
    ``R = 100 - 100 sum |B_i - S_i| / sum B_i`` [1]_. The answer is the first
    cutoff with R of 95 %, else the first with 90 %, else None.

    Parameters
    ----------
    magnitudes : array_like
        In any order; NaN is missing.
    width : float, default 0.1
        Width of a bin, magnitude units.

    Returns
    -------
    CompletenessEstimate
        `score` is R at the answer.

    References
    ----------
    .. [1] Wiemer and Wyss (2000), BSSA 90, 859-869, doi:10.1785/0119990114,
       equation 2.
    """
    grid = _Grid.of(magnitudes, width)
    peak = grid.most_populated()
    if peak is None:
        return grid.estimate("gft", None)
    cutoffs = range(peak - grid.steps(0.4), peak + grid.steps(1.9) + 1)
    scores = [(cutoff, score) for cutoff in cutoffs if (score := grid.goodness(cutoff)) is not None]
    for level in GOODNESS_LEVELS:
        for cutoff, score in scores:
            if score >= level:
                return grid.estimate("gft", cutoff, score=score)
    return grid.estimate("gft", None)


def b_value_stability(
    magnitudes: npt.ArrayLike, *, width: float = DEFAULT_WIDTH, min_events: int = 30
) -> CompletenessEstimate:
    """Find the lowest cutoff from which the b-value stays the same.

    The first cutoff, from the lowest magnitude up, where the mean of the
    Aki-Utsu b over cutoffs Mc to Mc + 0.4 differs from b at Mc by no more
    than the Shi-Bolt error of b at Mc [1]_ [2]_.

    Parameters
    ----------
    magnitudes : array_like
        In any order; NaN is missing.
    width : float, default 0.1
        Width of a bin, magnitude units.
    min_events : int, default 30
        A cutoff with fewer events at or above it is not considered.

    Returns
    -------
    CompletenessEstimate
        `score` is the difference at the answer.

    References
    ----------
    .. [1] Cao and Gao (2002), GRL 29, doi:10.1029/2001GL013775.
    .. [2] Woessner and Wiemer (2005), BSSA 95, 684-698,
       doi:10.1785/0120040007.
    """
    grid = _Grid.of(magnitudes, width)
    reach = grid.steps(0.4)
    for cutoff in grid.cutoffs(reach):
        if grid.above(cutoff) < min_events:
            break
        here = grid.b_value(cutoff)
        ahead = [grid.b_value(cutoff + step) for step in range(reach + 1)]
        known = [b for b in ahead if b is not None]
        if here is None or len(known) < len(ahead):
            continue
        difference = abs(math.fsum(known) / len(known) - here)
        if difference <= grid.shi_bolt(cutoff, here):
            return grid.estimate("mbs", cutoff, score=difference)
    return grid.estimate("mbs", None)


COMPLETENESS_METHODS: dict[str, Callable[..., CompletenessEstimate]] = {
    "maxc": maximum_curvature,
    "gft": goodness_of_fit,
    "mbs": b_value_stability,
}


@dataclass(frozen=True, slots=True)
class _Grid:
    """A catalog's occupied bins with sums from each one up, so a cutoff costs a lookup.

    The sums are of whole numbers in float64: exact up to 2**53.
    """

    width: float
    bins: npt.NDArray[np.int64]
    counts: npt.NDArray[np.int64]
    numbers: npt.NDArray[np.float64]
    sums: npt.NDArray[np.float64]
    squares: npt.NDArray[np.float64]

    @classmethod
    def of(cls, magnitudes: npt.ArrayLike, width: float) -> _Grid:
        bins, counts = np.unique(known_bins(magnitudes, width), return_counts=True)
        above = (bins - bins[:1]).astype(np.float64)
        return cls(
            width=width,
            bins=bins,
            counts=counts.astype(np.int64),
            numbers=_sums_from(counts.astype(np.float64)),
            sums=_sums_from(counts * above),
            squares=_sums_from(counts * above**2),
        )

    def steps(self, span: float) -> int:
        """Give the number of bins in a magnitude range."""
        return round(span / self.width)

    def cutoffs(self, reach: int) -> list[int]:
        """Give the bins from the lowest occupied one up, without the middle of wide gaps."""
        near = self.bins[:, None] - np.arange(reach + 1)
        return [int(cutoff) for cutoff in np.unique(near) if cutoff >= self.bins[0]]

    def most_populated(self) -> int | None:
        """Give the lowest of the bins with the largest number of events."""
        return int(self.bins[np.argmax(self.counts)]) if self.bins.size else None

    def above(self, cutoff: int) -> int:
        """Count the events in bin `cutoff` and above."""
        place = int(np.searchsorted(self.bins, cutoff))
        return int(self.numbers[place]) if place < self.bins.size else 0

    def b_value(self, cutoff: int) -> float | None:
        """Give the Aki-Utsu b at a cutoff; None with fewer than two occupied bins."""
        place = int(np.searchsorted(self.bins, cutoff))
        if place > self.bins.size - 2:
            return None
        mean = float(self.bins[0]) + float(self.sums[place] / self.numbers[place])
        return 1.0 / (_LN10 * self.width * (mean - cutoff + 0.5))

    def shi_bolt(self, cutoff: int, b: float) -> float:
        """Give the Shi-Bolt error of the b at a cutoff."""
        place = int(np.searchsorted(self.bins, cutoff))
        number = float(self.numbers[place])
        spread = float(self.squares[place] - self.sums[place] ** 2 / number)
        scale = math.sqrt(max(spread, 0.0) / (number * (number - 1.0)))
        return _LN10 * b * b * self.width * scale

    def goodness(self, cutoff: int) -> float | None:
        """Give the fit of the law above a cutoff, per cent; None without a b-value."""
        b = self.b_value(cutoff)
        if b is None or self.bins[-1] - cutoff > _MOST_BINS:
            return None
        offsets = np.arange(int(self.bins[-1]) - cutoff + 1)
        observed = self.numbers[np.searchsorted(self.bins, cutoff + offsets)]
        expected = observed[0] * 10.0 ** (-b * self.width * offsets)
        residual = float(np.abs(observed - expected).sum())
        return 100.0 - 100.0 * residual / float(observed.sum())

    def estimate(
        self,
        method: str,
        cutoff: int | None,
        *,
        correction: float = 0.0,
        score: float | None = None,
    ) -> CompletenessEstimate:
        """Put an answer into its record."""
        corrected = None if cutoff is None else cutoff + self.steps(correction)
        return CompletenessEstimate(
            method=method,
            mc=None if corrected is None else bin_magnitude(corrected, self.width),
            mc_uncorrected=None if cutoff is None else bin_magnitude(cutoff, self.width),
            correction=correction,
            events=int(self.counts.sum()),
            events_above=0 if corrected is None else self.above(corrected),
            score=score,
        )


def _sums_from(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.cumsum(values[::-1])[::-1]
