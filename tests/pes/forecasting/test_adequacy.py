import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from flowquake.pes.forecasting import (
    MODELS,
    fit_failure,
    p_value_naive,
    p_values,
    simulate_hyperbolic,
)
from flowquake.pes.forecasting import _adequacy_table as table


def p_value(model: str, d: float, n: int = 100, *, given: bool = False) -> float:
    ks = d / math.sqrt(n)
    found = p_values(model, events=[n], ks=[ks], length=[2.0], tilt=[1.0], power=[1.0], given=given)
    return float(found[0])


@given(st.floats(0.02, 0.3), st.integers(20, 5000))
def test_the_naive_p_value_is_the_textbook_one(ks: float, n: int) -> None:
    exact = stats.kstwo.sf(ks, n)
    assert p_value_naive(ks, n) == pytest.approx(exact, rel=0.25, abs=0.012)


def test_the_table_of_a_model_without_shape_is_the_textbook_one() -> None:
    for d in (0.7, 1.0, 1.3, 1.5):
        for n in (10, 100, 1000):
            exact = stats.kstwo.sf(d / math.sqrt(n), n)
            assert p_value("constant", d, n) == pytest.approx(exact, abs=0.012)
            assert p_value("hyperbolic", d, n, given=True) == p_value("constant", d, n)


@pytest.mark.parametrize("model", MODELS[1:])
def test_a_fitted_models_p_value_is_less_kind_than_the_textbooks(model: str) -> None:
    for d in (0.8, 1.0, 1.3, 2.0, 3.0):
        assert p_value(model, d) < p_value_naive(d / 10.0, 100)


@given(st.sampled_from(MODELS), st.integers(10, 10**6), st.floats(0.1, 6.0), st.floats(0.01, 1.0))
def test_p_values_fall_with_the_distance_and_stay_probabilities(
    model: str, n: int, d: float, more: float
) -> None:
    near, far = p_value(model, d, n), p_value(model, d + more, n)
    assert 0.0 < far < near <= 1.0


def test_far_in_the_tail_a_p_value_is_small_but_not_zero() -> None:
    for model in MODELS:
        assert 0.0 < p_value(model, 7.0, 2476) < 1e-30


@given(
    st.sampled_from(MODELS),
    st.floats(10, 1e5),
    st.floats(1e-5, 25.0),
    st.floats(-50.0, 1e4),
    st.floats(0.05, 12.0),
)
def test_every_fit_finds_a_place_in_the_table(
    model: str, n: float, length: float, tilt: float, power: float
) -> None:
    found = p_values(
        model, events=[n], ks=[5.0 / math.sqrt(n)], length=[length], tilt=[tilt], power=[power]
    )
    assert 0.0 < found[0] <= 1.0


@pytest.mark.parametrize(
    ("family", "n", "place"),
    [
        ("uniform", 100, {}),
        ("tilt", 50, {"tilt": 4.0}),
        ("hyperbolic", 200, {"length": 2.0}),
        ("inverse_omori", 20, {"length": 2.0, "power": 1.0}),
    ],
)
def test_a_cell_of_the_table_is_made_again(family: str, n: int, place: dict[str, float]) -> None:
    stored = json.loads(table.TABLE.read_text())
    assert stored["tail"] == list(table.TAIL)
    assert stored["seed"] == table.SEED
    count = stored["simulations"]
    if family == "inverse_omori":  # the slow one: fewer draws, with their chance
        again = table.tail_quantiles(table.simulate_cell(family, n, place, 4000))
        tolerance = 0.06
    else:
        again = table.tail_quantiles(table.simulate_cell(family, n, place, count))
        tolerance = 2e-4
    cell = [i for i, at in enumerate(table.cells(family)) if at == (n, place)]
    quantiles = stored["families"][family]["quantiles"][cell[0]]
    assert again == pytest.approx(quantiles, rel=tolerance)


def test_the_table_has_every_cell() -> None:
    stored = json.loads(table.TABLE.read_text())["families"]
    assert list(stored) == list(table.FAMILIES)
    for family, (_, axes) in table.FAMILIES.items():
        assert stored[family]["axes"] == {name: list(grid) for name, grid in axes.items()}
        assert len(stored[family]["quantiles"]) == len(list(table.cells(family)))


@pytest.mark.parametrize("model", MODELS)
def test_the_distance_is_that_of_the_transformed_times(model: str) -> None:
    rng = np.random.default_rng(6)
    for n in (11, 60, 1500):
        times = simulate_hyperbolic(k=1.0, failure_time=1.0, end=0.95, events=n, rng=rng)
        fit = fit_failure(times, start=0.0, end=0.95, model=model)
        shares = fit.cumulative(times) / fit.cumulative(0.95)
        assert fit.adequacy is not None
        expected = stats.kstest(shares, "uniform").statistic
        assert fit.adequacy.ks == pytest.approx(expected, rel=1e-7)
