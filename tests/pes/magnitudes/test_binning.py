from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowquake.pes.magnitudes import MISSING_BIN, at_or_above, bin_magnitude, magnitude_bin


@given(st.integers(-60, 100))
def test_a_magnitude_read_from_text_lies_in_its_own_bin(tenths: int) -> None:
    assert int(magnitude_bin(float(f"{tenths / 10:.1f}"))) == tenths


@given(st.integers(-60, 100), st.integers(-60, 100))
def test_at_or_above_agrees_with_the_integers(magnitude: int, cutoff: int) -> None:
    assert bool(at_or_above(magnitude * 0.1, cutoff / 10)) == (magnitude >= cutoff)


def test_magnitude_1_2_is_at_or_above_1_2_however_it_was_computed() -> None:
    computed = [1.2, 0.1 * 12, 1.1 + 0.1, 3.6 / 3, 0.4 + 0.8]
    assert at_or_above(computed, 1.2).all()
    assert at_or_above(1.2, 0.1 * 12)


def test_an_edge_belongs_to_the_upper_bin() -> None:
    assert magnitude_bin([0.05, 0.15, 1.25, -0.05]).tolist() == [1, 2, 13, 0]


def test_a_missing_magnitude_has_no_bin_and_is_never_at_or_above() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert magnitude_bin([np.nan, np.inf, -np.inf, 1e300]).tolist() == [MISSING_BIN] * 4
        assert not at_or_above([np.nan, np.inf], -100.0).any()


@given(st.integers(-100, 100), st.sampled_from([0.01, 0.05, 0.1, 0.2, 0.5]))
def test_the_centre_of_a_bin_lies_in_it(number: int, width: float) -> None:
    assert int(magnitude_bin(bin_magnitude(number, width), width)) == number


def test_the_shape_is_kept() -> None:
    assert magnitude_bin(1.0).shape == ()
    assert magnitude_bin(np.ones((2, 3))).shape == (2, 3)
    assert magnitude_bin([]).dtype == np.int64


@pytest.mark.parametrize("width", [0.0, -0.1, float("nan"), float("inf")])
def test_a_width_that_is_no_width_is_refused(width: float) -> None:
    with pytest.raises(ValueError, match="width"):
        magnitude_bin([1.0], width)


def test_a_cutoff_that_is_no_number_is_refused() -> None:
    with pytest.raises(ValueError, match="cutoff"):
        at_or_above([1.0], float("nan"))
