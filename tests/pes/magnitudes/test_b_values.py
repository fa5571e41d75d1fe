from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from flowquake.pes.magnitudes import B_VALUE_METHODS, aki_utsu, b_positive, binned_b, shi_bolt

FloatArray = npt.NDArray[np.float64]
Simulate = Callable[..., FloatArray]


def test_el_hierro_has_the_published_b_values(el_hierro_magnitudes: FloatArray) -> None:
    assert el_hierro_magnitudes.size == 20984
    classic = aki_utsu(el_hierro_magnitudes, mc=2.5)
    assert classic.events == 2864
    assert classic.b == pytest.approx(1.1315, abs=1e-4)
    assert classic.uncertainty == pytest.approx(0.0197, abs=1e-4)
    assert binned_b(el_hierro_magnitudes, mc=2.5).b == pytest.approx(1.1379, abs=1e-4)
    assert b_positive(el_hierro_magnitudes, mc=2.5).b == pytest.approx(1.4425, abs=1e-4)


@pytest.mark.parametrize(("column", "stated"), [(0, 0.998), (1, 1.479), (2, 0.499)])
def test_unrounded_reference_magnitudes_give_their_stated_b(
    column: int, stated: float, shared_data: Callable[[str], Path]
) -> None:
    path = shared_data("catalogs/seismostats_simulated_magnitudes.csv")
    magnitudes = np.loadtxt(path, delimiter=",", skiprows=1)[:, column]
    assert aki_utsu(magnitudes, mc=0.0, width=1e-6).b == pytest.approx(stated, abs=5e-4)
    estimate = binned_b(magnitudes, mc=0.0)
    assert estimate.uncertainty is not None
    assert estimate.b == pytest.approx(stated, abs=3 * estimate.uncertainty)


@pytest.mark.parametrize("method", ["binned", "b_positive"])
@pytest.mark.parametrize("b", [0.6, 1.0, 2.2])
def test_the_truth_lies_within_two_errors_as_often_as_stated(
    method: str, b: float, simulate_magnitudes: Simulate
) -> None:
    inside = 0
    for seed in range(300):
        magnitudes = simulate_magnitudes(400, b=b, mc=1.0, seed=seed)
        estimate = B_VALUE_METHODS[method](magnitudes, mc=1.0)
        assert estimate.b is not None
        assert estimate.uncertainty is not None
        inside += abs(estimate.b - b) < 2 * estimate.uncertainty
    assert 0.91 < inside / 300 < 0.99


def test_b_positive_stands_a_gap_after_the_large_events() -> None:
    rng = np.random.default_rng(3)
    magnitudes = np.round(rng.exponential(1 / np.log(10.0), 40000), 1)
    recent_largest = np.maximum(magnitudes, np.roll(magnitudes, 1))
    seen = magnitudes >= recent_largest - 0.8
    assert b_positive(magnitudes[seen], mc=0.1).b == pytest.approx(1.0, abs=0.05)


def test_rounding_biases_aki_utsu_and_not_the_binned_estimator(
    simulate_magnitudes: Simulate,
) -> None:
    magnitudes = simulate_magnitudes(200_000, b=2.5, mc=1.0, seed=8)
    assert binned_b(magnitudes, mc=1.0).b == pytest.approx(2.5, abs=0.02)
    classic = aki_utsu(magnitudes, mc=1.0).b
    assert classic is not None
    assert classic < 2.47


def test_noise_in_the_last_digit_changes_no_b(el_hierro_magnitudes: FloatArray) -> None:
    noisy = el_hierro_magnitudes + np.random.default_rng(1).choice(
        [-1e-14, 0.0, 1e-14], el_hierro_magnitudes.size
    )
    for estimator in (binned_b, b_positive):
        assert estimator(noisy, mc=2.5) == estimator(el_hierro_magnitudes, mc=2.5)


def test_events_below_the_cutoff_and_without_magnitude_have_no_part() -> None:
    kept = [1.0, 1.4, 1.1, 2.0]
    mixed = [0.2, 1.0, np.nan, 1.4, 0.9, 1.1, np.nan, 2.0]
    for estimator in B_VALUE_METHODS.values():
        assert estimator(mixed, mc=1.0) == estimator(kept, mc=1.0)


@pytest.mark.parametrize("magnitudes", [[], [1.5], [1.5] * 40, [np.nan] * 5, [0.1, 0.2]], ids=str)
@pytest.mark.parametrize("method", sorted(B_VALUE_METHODS))
def test_data_without_a_slope_give_none(method: str, magnitudes: list[float]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        estimate = B_VALUE_METHODS[method](magnitudes, mc=1.0)
    assert estimate.b is None
    assert estimate.uncertainty is None


def test_shi_bolt_of_one_event_is_none() -> None:
    assert shi_bolt([2.0], 1.0) is None
    assert shi_bolt([2.0, 2.0], 1.0) == 0.0
