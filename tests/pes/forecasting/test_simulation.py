import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest
from scipy import stats

from flowquake.pes.forecasting import (
    gutenberg_richter,
    model_cumulative,
    simulate_catalog,
    simulate_constant,
    simulate_exponential,
    simulate_hyperbolic,
    simulate_inverse_omori,
)
from flowquake.records import NS_PER_DAY, format_time

FloatArray = npt.NDArray[np.float64]
Draw = Callable[..., FloatArray]

CASES: list[tuple[str, Draw, dict[str, float], dict[str, float]]] = [
    ("constant", simulate_constant, {"k": 30.0}, {"k": 30.0}),
    ("exponential", simulate_exponential, {"k": 3.0, "growth": 0.5}, {"k": 3.0, "lambda": 0.5}),
    ("exponential", simulate_exponential, {"k": 90.0, "growth": -0.5}, {"k": 90.0, "lambda": -0.5}),
    ("exponential", simulate_exponential, {"k": 9.0, "growth": 0.0}, {"k": 9.0, "lambda": 0.0}),
    ("hyperbolic", simulate_hyperbolic, {"k": 90.0, "failure_time": 9.0}, {"k": 90.0, "t_f": 9.0}),
    (
        "inverse_omori",
        simulate_inverse_omori,
        {"k": 90.0, "failure_time": 9.0, "p": 1.7},
        {"k": 90.0, "t_f": 9.0, "p": 1.7},
    ),
    (
        "inverse_omori",
        simulate_inverse_omori,
        {"k": 60.0, "failure_time": 8.1, "p": 0.4},
        {"k": 60.0, "t_f": 8.1, "p": 0.4},
    ),
]


@pytest.mark.parametrize(("model", "draw", "given", "parameters"), CASES)
def test_times_follow_the_model(
    model: str, draw: Draw, given: dict[str, float], parameters: dict[str, float]
) -> None:
    times = draw(**given, start=0.0, end=8.0, events=20000, rng=np.random.default_rng(1))
    assert times.size == 20000
    assert times[0] >= 0.0
    assert times[-1] < 8.0
    assert bool(np.all(np.diff(times) >= 0.0))
    shares = model_cumulative(model, parameters, times) / model_cumulative(model, parameters, 8.0)
    assert stats.kstest(shares, "uniform").pvalue > 0.001


@pytest.mark.parametrize(("model", "draw", "given", "parameters"), CASES)
def test_without_a_number_of_events_it_is_poisson(
    model: str, draw: Draw, given: dict[str, float], parameters: dict[str, float]
) -> None:
    rng = np.random.default_rng(2)
    counts = np.array([draw(**given, end=8.0, rng=rng).size for _ in range(400)])
    expected = float(model_cumulative(model, parameters, 8.0))
    assert abs(counts.mean() - expected) < 4.0 * math.sqrt(expected / 400)
    assert counts.var() / expected == pytest.approx(1.0, abs=0.3)


@pytest.mark.parametrize(("model", "draw", "given", "parameters"), CASES)
def test_the_same_seed_draws_the_same_times(
    model: str, draw: Draw, given: dict[str, float], parameters: dict[str, float]
) -> None:
    first = draw(**given, end=8.0, rng=np.random.default_rng(3))
    assert np.array_equal(first, draw(**given, end=8.0, rng=np.random.default_rng(3)))
    assert not np.array_equal(first, draw(**given, end=8.0, rng=np.random.default_rng(4)))


def test_a_window_may_start_anywhere() -> None:
    rng = np.random.default_rng(5)
    times = simulate_hyperbolic(k=50.0, failure_time=110.0, start=100.0, end=109.0, rng=rng)
    assert times.size == pytest.approx(50.0 * math.log(10.0), abs=45)
    assert times[0] >= 100.0
    assert times[-1] < 109.0


@pytest.mark.parametrize("width", [0.0, 0.1])
def test_magnitudes_follow_gutenberg_and_richter(width: float) -> None:
    rng = np.random.default_rng(6)
    magnitudes = gutenberg_richter(50_000, b=0.9, mc=1.5, rng=rng, bin_width=width)
    assert magnitudes.min() >= 1.5
    for above in (2.0, 2.5, 3.0):
        share = np.mean(magnitudes >= above - 1e-9)
        assert share == pytest.approx(10.0 ** (-0.9 * (above - 1.5)), rel=0.06)
    if width:
        assert np.array_equal(magnitudes, np.round(magnitudes, 1))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda rng: simulate_constant(k=-1.0, end=1.0, rng=rng), "k="),
        (lambda rng: simulate_constant(k=math.nan, end=1.0, rng=rng), "k="),
        (lambda rng: simulate_constant(k=1.0, start=2.0, end=1.0, rng=rng), "window"),
        (lambda rng: simulate_hyperbolic(k=1.0, failure_time=1.0, end=1.0, rng=rng), "after"),
        (lambda rng: gutenberg_richter(5, b=0.0, mc=1.0, rng=rng), "b="),
        (lambda rng: gutenberg_richter(5, b=1.0, mc=1.0, bin_width=-1.0, rng=rng), "bin_width"),
    ],
)
def test_what_cannot_be_drawn_is_refused(
    call: Callable[[np.random.Generator], FloatArray], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        call(np.random.default_rng(1))


def test_the_demonstration_looks_like_a_catalog() -> None:
    events = simulate_catalog(rng=np.random.default_rng(7))
    assert events.source == "demo"
    assert bool(np.all(np.diff(events.time) >= 0))
    assert format_time(int(events.time[0])).startswith("2030-01-")
    assert events.time[-1] < events.time[0] + 95 * NS_PER_DAY
    assert len(set(events.event_id.to_list())) == len(events)
    assert bool(np.all((events.latitude > 39.0) & (events.latitude < 40.0)))
    assert bool(np.all((events.longitude > 11.7) & (events.longitude < 12.8)))
    assert bool(np.all((events.depth > 0.0) & (events.depth < 25.0)))
    complete = events.magnitude >= 0.95
    share = np.mean(events.magnitude[complete] >= 1.95)
    assert share == pytest.approx(0.1, abs=0.04)
    small = np.mean(events.magnitude < 0.45)
    assert small < 0.02
    again = simulate_catalog(rng=np.random.default_rng(7))
    assert events.equals(again)
