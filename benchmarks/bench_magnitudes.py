"""Magnitudes: the bin grid, completeness and b-values, by number of events."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from flowquake.pes.magnitudes import (
    COMPLETENESS_METHODS,
    at_or_above,
    b_positive,
    binned_b,
    magnitude_bin,
)


def catalog(events: int) -> npt.NDArray[np.float64]:
    """Draw a catalog with b = 1 that loses its small events below about 1.5."""
    rng = np.random.default_rng(20)
    magnitudes = np.round(rng.exponential(1 / np.log(10.0), 4 * events), 1)
    chance = 1.0 / (1.0 + np.exp(-(magnitudes - 0.6) / 0.15))
    seen: npt.NDArray[np.float64] = magnitudes[rng.random(magnitudes.size) < chance][:events]
    return seen


class Magnitudes:
    """One call over a catalog."""

    params = (1_000, 100_000, 1_000_000)
    param_names = ("events",)

    def setup(self, events: int) -> None:
        self.magnitudes = catalog(events)

    def time_bins(self, events: int) -> None:
        magnitude_bin(self.magnitudes)

    def time_cut(self, events: int) -> None:
        at_or_above(self.magnitudes, 1.5)

    def time_binned_b(self, events: int) -> None:
        binned_b(self.magnitudes, mc=1.5)

    def time_b_positive(self, events: int) -> None:
        b_positive(self.magnitudes, mc=1.5)

    def time_maximum_curvature(self, events: int) -> None:
        COMPLETENESS_METHODS["maxc"](self.magnitudes)

    def time_goodness_of_fit(self, events: int) -> None:
        COMPLETENESS_METHODS["gft"](self.magnitudes)

    def time_b_value_stability(self, events: int) -> None:
        COMPLETENESS_METHODS["mbs"](self.magnitudes)

    def peakmem_goodness_of_fit(self, events: int) -> None:
        COMPLETENESS_METHODS["gft"](self.magnitudes)
