from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest

from flowquake.pes.magnitudes import (
    COMPLETENESS_METHODS,
    aki_utsu,
    b_value_stability,
    goodness_of_fit,
    magnitude_bin,
    maximum_curvature,
)

FloatArray = npt.NDArray[np.float64]
Simulate = Callable[..., FloatArray]


def incomplete(magnitudes: FloatArray, *, mc: float, spread: float, seed: int) -> FloatArray:
    """Lose small events as a network does: a normal detection curve below mc."""
    from scipy.stats import norm

    chance = norm.cdf(magnitudes, loc=mc - 2 * spread, scale=spread)
    return magnitudes[np.random.default_rng(seed).random(magnitudes.size) < chance]


def test_el_hierro_has_the_published_completeness(el_hierro_magnitudes: FloatArray) -> None:
    curvature = maximum_curvature(el_hierro_magnitudes)
    assert (curvature.mc, curvature.events) == (1.5, 20984)
    fit = goodness_of_fit(el_hierro_magnitudes)
    assert (fit.mc, fit.events_above) == (2.5, 2864)


def test_the_correction_is_added_and_both_are_reported(el_hierro_magnitudes: FloatArray) -> None:
    corrected = maximum_curvature(el_hierro_magnitudes, correction=0.2)
    assert (corrected.mc_uncorrected, corrected.correction, corrected.mc) == (1.5, 0.2, 1.7)
    assert corrected.events_above == int((magnitude_bin(el_hierro_magnitudes) >= 17).sum())


def test_the_lowest_of_equally_full_bins_is_taken() -> None:
    assert maximum_curvature([2.0, 2.0, 1.0, 1.0, 1.5]).mc == 1.0


def test_goodness_of_fit_is_the_stated_sum(el_hierro_magnitudes: FloatArray) -> None:
    fit = goodness_of_fit(el_hierro_magnitudes)
    bins = magnitude_bin(el_hierro_magnitudes)
    b = aki_utsu(el_hierro_magnitudes, mc=2.5).b
    assert b is not None
    steps = np.arange(bins.max() - 25 + 1)
    observed = np.array([(bins >= 25 + step).sum() for step in steps])
    expected = 2864 * 10 ** (-b * 0.1 * steps)
    stated = 100 - 100 * np.abs(observed - expected).sum() / observed.sum()
    assert fit.score == pytest.approx(stated, rel=1e-12)


def test_stability_is_the_stated_difference(el_hierro_magnitudes: FloatArray) -> None:
    found = b_value_stability(el_hierro_magnitudes)
    assert found.mc == 2.6

    def gap(cutoff: float) -> tuple[float, float]:
        ahead = [aki_utsu(el_hierro_magnitudes, mc=cutoff + k * 0.1) for k in range(5)]
        slopes = [estimate.b for estimate in ahead if estimate.b is not None]
        assert ahead[0].uncertainty is not None
        return abs(sum(slopes) / 5 - slopes[0]), ahead[0].uncertainty

    assert found.score == pytest.approx(gap(2.6)[0], rel=1e-9)
    assert gap(2.6)[0] <= gap(2.6)[1]
    for tenths in range(1, 26):
        difference, error = gap(tenths / 10)
        assert difference > error


@pytest.mark.parametrize("seed", range(5))
def test_a_known_completeness_is_found(seed: int, simulate_magnitudes: Simulate) -> None:
    complete = simulate_magnitudes(100_000, b=1.0, mc=-0.5, seed=seed)
    seen = incomplete(complete, mc=1.0, spread=0.25, seed=seed + 100)
    curvature = maximum_curvature(seen, correction=0.2).mc
    fit = goodness_of_fit(seen).mc
    stable = b_value_stability(seen).mc
    assert curvature is not None
    assert fit is not None
    assert stable is not None
    assert 0.5 <= curvature <= 1.0
    assert 0.6 <= fit <= 1.1
    assert 0.7 <= stable <= 1.3


@pytest.mark.parametrize("method", ["maxc", "gft", "mbs"])
def test_a_complete_catalog_is_complete_from_its_lowest_bin(
    method: str, simulate_magnitudes: Simulate
) -> None:
    magnitudes = simulate_magnitudes(5000, b=1.0, mc=1.5, seed=4)
    assert COMPLETENESS_METHODS[method](magnitudes).mc_uncorrected == 1.5


def test_stability_needs_thirty_events(simulate_magnitudes: Simulate) -> None:
    magnitudes = simulate_magnitudes(29, b=1.0, mc=1.5, seed=4)
    assert b_value_stability(magnitudes).mc is None
    assert b_value_stability(magnitudes, min_events=10).mc is not None


def test_two_separate_humps_have_no_goodness_of_fit() -> None:
    assert goodness_of_fit([1.0] * 500 + [3.5] * 400).mc is None


@pytest.mark.parametrize("method", sorted(COMPLETENESS_METHODS))
@pytest.mark.parametrize(
    ("magnitudes", "curvature"),
    [([], None), ([np.nan] * 9, None), ([1.3], 1.3), ([1.3] * 60, 1.3)],
    ids=["none", "all missing", "one", "all equal"],
)
def test_catalogs_without_a_slope_give_a_stated_result(
    method: str, magnitudes: list[float], curvature: float | None
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        estimate = COMPLETENESS_METHODS[method](magnitudes)
    assert estimate.mc == (curvature if method == "maxc" else None)
    assert estimate.events == np.isfinite(magnitudes).sum()


@pytest.mark.parametrize("method", sorted(COMPLETENESS_METHODS))
def test_absurd_magnitudes_end_in_time(method: str) -> None:
    magnitudes = [-1e15, -999.0, 1e15, *np.arange(0, 3, 0.1)]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert COMPLETENESS_METHODS[method](magnitudes).events == 33


@pytest.mark.parametrize("method", sorted(COMPLETENESS_METHODS))
def test_missing_magnitudes_and_order_change_nothing(
    method: str, el_hierro_magnitudes: FloatArray
) -> None:
    rng = np.random.default_rng(0)
    mixed = rng.permutation(np.append(el_hierro_magnitudes, [np.nan] * 50))
    assert COMPLETENESS_METHODS[method](mixed) == COMPLETENESS_METHODS[method](el_hierro_magnitudes)
