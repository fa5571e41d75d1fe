"""Magnitudes: the bin grid, completeness and b-values."""

from __future__ import annotations

from flowquake.pes.magnitudes.b_values import (
    B_VALUE_METHODS,
    BEstimate,
    aki_utsu,
    b_positive,
    binned_b,
    shi_bolt,
)
from flowquake.pes.magnitudes.binning import (
    MISSING_BIN,
    at_or_above,
    bin_magnitude,
    magnitude_bin,
)
from flowquake.pes.magnitudes.completeness import (
    COMPLETENESS_METHODS,
    CompletenessEstimate,
    b_value_stability,
    goodness_of_fit,
    maximum_curvature,
)
from flowquake.pes.magnitudes.elements import EstimateBValue, EstimateCompleteness

__all__ = [
    "B_VALUE_METHODS",
    "COMPLETENESS_METHODS",
    "MISSING_BIN",
    "BEstimate",
    "CompletenessEstimate",
    "EstimateBValue",
    "EstimateCompleteness",
    "aki_utsu",
    "at_or_above",
    "b_positive",
    "b_value_stability",
    "bin_magnitude",
    "binned_b",
    "goodness_of_fit",
    "magnitude_bin",
    "maximum_curvature",
    "shi_bolt",
]
