import math

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, optimize, stats

from flowquake.pes.forecasting import (
    MODELS,
    FailureFit,
    fit_failure,
    fit_many,
    fit_time_left,
    model_cumulative,
    model_rate,
    simulate_constant,
    simulate_exponential,
    simulate_hyperbolic,
    simulate_inverse_omori,
)

FloatArray = npt.NDArray[np.float64]
GAIN_90 = stats.chi2.ppf(0.9, 1)


def hyperbolic_times(n: int = 200, *, failure: float = 1.0, end: float = 0.9) -> FloatArray:
    rng = np.random.default_rng(20110719)
    return simulate_hyperbolic(k=1.0, failure_time=failure, end=end, events=n, rng=rng)


shares = st.one_of(
    st.floats(0.0, 0.999999),
    st.floats(-9.0, 0.0).map(lambda x: 1.0 - 10.0**x),
    st.sampled_from([0.0, 0.5, 0.9, 0.99, 0.999999]),
).filter(lambda share: share < 1.0)
sequences = st.lists(shares, min_size=10, max_size=60).filter(lambda s: max(s) - min(s) > 1e-5)


def excess(times: FloatArray, u: FloatArray, power: FloatArray) -> FloatArray:
    """Log-likelihood over the constant rate's, by plain sums; rows u, columns p; end 1."""
    r, delta = 1.0 - times, np.exp(u)[:, None]
    mean_log = np.log(delta + r).mean(axis=1)[:, None]
    low, high = np.log(delta), np.log1p(delta)
    q = power - 1.0
    with np.errstate(all="ignore"):
        mass = np.where(
            np.abs(q * (high - low)) < 1e-9,
            high - low,
            (np.exp(-q * low) - np.exp(-q * high)) / q,
        )
    gain: FloatArray = times.size * (-np.log(mass) - power * mean_log)
    return gain


@given(sequences)
def test_no_point_of_a_dense_grid_beats_the_hyperbolic_fit(found: list[float]) -> None:
    times = np.sort(found)
    fit = fit_failure(times, start=0.0, end=1.0)
    constant = fit_failure(times, start=0.0, end=1.0, model="constant")
    assert fit.log_likelihood is not None
    assert constant.log_likelihood is not None
    u = np.linspace(math.log(1e-9), math.log(1e4), 3000)
    best = excess(times, u, np.array([1.0])).max()
    assert fit.log_likelihood - constant.log_likelihood >= best - 1e-7


@given(sequences)
def test_no_point_of_a_dense_grid_beats_the_inverse_omori_fit(found: list[float]) -> None:
    times = np.sort(found)
    fit = fit_failure(times, start=0.0, end=1.0, model="inverse_omori")
    constant = fit_failure(times, start=0.0, end=1.0, model="constant")
    assert fit.log_likelihood is not None
    assert constant.log_likelihood is not None
    u = np.linspace(math.log(1e-9), math.log(20.0), 400)
    best = excess(times, u, np.linspace(0.05, 12.0, 240)).max()
    assert fit.log_likelihood - constant.log_likelihood >= best - 1e-6


@given(sequences)
def test_the_interval_is_the_piece_around_the_maximum(found: list[float]) -> None:
    times = np.sort(found)
    fits = fit_many(times, [0, times.size], [1.0], level=0.9)
    best = excess(times, np.log(fits.failure_after), np.array([1.0]))[0, 0]
    ends = [fits.lower[0], fits.upper[0]]
    for end in ends:
        if not math.isnan(end):
            at = excess(times, np.array([math.log(end)]), np.array([1.0]))[0, 0]
            assert 2.0 * (best - at) == pytest.approx(GAIN_90, abs=1e-6)
    low = math.log(1e-9 if math.isnan(ends[0]) else ends[0])
    high = math.log(1e4 if math.isnan(ends[1]) else ends[1])
    inside = excess(times, np.linspace(low, high, 1000), np.array([1.0]))
    assert (2.0 * (best - inside)).max() <= GAIN_90 + 1e-5


@given(sequences, st.floats(-1e3, 1e3), st.floats(1e-3, 1e3), st.sampled_from(MODELS))
def test_shifting_and_scaling_time_changes_nothing_but_the_units(
    found: list[float], shift: float, scale: float, model: str
) -> None:
    # Multiples of 2^-20, so that a shift by a multiple of it moves no event.
    times = np.floor(np.sort(found) * 2.0**20) / 2.0**20
    shift = round(shift)
    base = fit_failure(times, start=0.0, end=1.0, model=model)
    moved = fit_failure(times + shift, start=shift, end=shift + 1.0, model=model)
    scaled = fit_failure(times * scale, start=0.0, end=scale, model=model)
    assert moved.status == base.status
    assert base.log_likelihood is not None
    assert scaled.log_likelihood is not None
    assert moved.log_likelihood == pytest.approx(base.log_likelihood, rel=1e-9, abs=1e-9)
    # Events at rounding distance from a threshold may change sides; the likelihood may not.
    gain = scaled.log_likelihood + times.size * math.log(scale)
    assert gain == pytest.approx(base.log_likelihood, rel=1e-9, abs=1e-7)
    if base.failure_time is not None and scaled.failure_time is not None:
        curvature = 1e-4 * base.failure_time
        assert scaled.failure_time / scale == pytest.approx(base.failure_time, abs=curvature)


@pytest.mark.parametrize("model", MODELS)
def test_the_likelihood_is_the_sum_of_log_rates_less_the_integral(model: str) -> None:
    times = hyperbolic_times(end=0.9) * 40.0
    fit = fit_failure(times, start=0.0, end=36.0, model=model)
    integral, _ = integrate.quad(lambda t: float(fit.rate(t)), 0.0, 36.0, epsabs=1e-10)
    assert integral == pytest.approx(200.0, rel=1e-9)
    assert float(fit.cumulative(36.0)) == pytest.approx(200.0, rel=1e-9)
    likelihood = float(np.log(fit.rate(times)).sum()) - integral
    assert fit.log_likelihood == pytest.approx(likelihood, abs=1e-6)


@pytest.mark.parametrize(
    ("model", "free"), [("exponential", 1), ("hyperbolic", 1), ("inverse_omori", 2)]
)
def test_another_optimiser_finds_the_same_maximum(model: str, free: int) -> None:
    rng = np.random.default_rng(8)
    times = simulate_inverse_omori(k=1.0, failure_time=60.0, p=1.2, end=50.0, events=300, rng=rng)
    fit = fit_failure(times, start=0.0, end=50.0, model=model)

    def negative(x: FloatArray) -> float:
        named = {"exponential": {"lambda": float(x[0])}}.get(model, {"t_f": 50.0 + math.exp(x[0])})
        if free == 2:
            named["p"] = float(x[1])
        named["k"] = 1.0
        named["k"] = 300.0 / float(model_cumulative(model, named, 50.0))
        return 300.0 - float(np.log(model_rate(model, named, times)).sum())

    begin = [0.01] if model == "exponential" else [2.0, 1.0][:free]
    other = optimize.minimize(
        negative,
        begin,
        method="Nelder-Mead",
        options={"xatol": 1e-9, "fatol": 1e-9, "maxiter": 4000},
    )
    assert fit.log_likelihood == pytest.approx(-other.fun, abs=1e-6)
    if model != "exponential":
        assert fit.parameters["t_f"] == pytest.approx(50.0 + math.exp(other.x[0]), rel=1e-4)


def test_fitting_many_gives_what_fitting_each_gives() -> None:
    rng = np.random.default_rng(3)
    parts = [simulate_hyperbolic(k=40.0, failure_time=3.0, end=2.5, rng=rng) for _ in range(20)]
    rng.shuffle(parts[0])
    offsets = np.concatenate([[0], np.cumsum([part.size for part in parts])])
    for model in MODELS:
        fits = fit_many(np.concatenate(parts), offsets, np.full(20, 2.5), model=model, level=0.9)
        for i, part in enumerate(parts):
            one = fit_failure(part, start=0.0, end=2.5, model=model)
            assert fits.status(i) == one.status
            assert fits.log_likelihood[i] == pytest.approx(one.log_likelihood, rel=1e-12)
            assert fits.parameters(i) == pytest.approx(one.parameters, rel=1e-9)


def test_time_left_keeps_events_apart_that_times_would_merge() -> None:
    end = 1e9
    left = np.concatenate([np.linspace(1e6, end, 30), [1e-9]])
    fit = fit_time_left(left, start=0.0, end=end, model="hyperbolic")
    assert fit.events == 31


def test_criteria_count_the_parameters_that_were_fitted() -> None:
    times = hyperbolic_times()
    for failure, counts in ((None, (1, 2, 2, 3)), (1.0, (1, 2, 1, 2))):
        for model, m in zip(MODELS, counts, strict=True):
            fit = fit_failure(times, start=0.0, end=0.9, model=model, failure_time=failure)
            assert fit.log_likelihood is not None
            assert fit.aic == pytest.approx(2 * m - 2 * fit.log_likelihood)
            assert fit.bic == pytest.approx(m * math.log(200) - 2 * fit.log_likelihood)


def test_a_given_failure_time_is_kept_and_has_no_interval() -> None:
    times = hyperbolic_times()
    for model in ("hyperbolic", "inverse_omori"):
        fit = fit_failure(times, start=0.0, end=0.9, model=model, failure_time=1.0)
        free = fit_failure(times, start=0.0, end=0.9, model=model)
        assert fit.status == "forecast"
        assert fit.failure_time == pytest.approx(1.0)
        assert fit.interval is None
        assert fit.log_likelihood is not None
        assert free.log_likelihood is not None
        assert fit.log_likelihood < free.log_likelihood


# Statuses, in their order.


def status_of(times: npt.ArrayLike, model: str = "hyperbolic", end: float = 1.0) -> FailureFit:
    return fit_failure(times, start=0.0, end=end, model=model)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("times", [[], [0.5], [0.1 * i for i in range(9)], [0.5] * 50])
def test_too_few_events_are_not_fitted(model: str, times: list[float]) -> None:
    fit = status_of(times, model)
    assert fit.status == "too_few_events"
    assert fit.events == len(times)
    assert fit.parameters == {}
    assert fit.log_likelihood is fit.aic is fit.bic is fit.failure_time is None
    assert fit.interval is None
    assert fit.adequacy is None
    with pytest.raises(ValueError, match="no fit"):
        fit.rate(0.5)


@pytest.mark.parametrize("model", MODELS)
def test_ten_events_are_enough(model: str) -> None:
    assert status_of(np.linspace(0.0, 0.95, 10), model).status != "too_few_events"


@pytest.mark.parametrize("model", MODELS)
def test_a_decaying_rate_does_not_accelerate(model: str) -> None:
    fit = status_of(1.0 - hyperbolic_times(300) / 0.9 - 1e-12, model)
    assert fit.status == "no_acceleration"
    assert fit.failure_time is None
    assert fit.interval is None
    assert fit.adequacy is not None


def test_the_constant_rate_never_accelerates() -> None:
    assert status_of(hyperbolic_times(), "constant", 0.9).status == "no_acceleration"


def test_growth_without_a_failure_time_is_said() -> None:
    rng = np.random.default_rng(2)
    times = simulate_exponential(k=1.0, growth=5.0, end=1.0, events=2000, rng=rng)
    exponential = status_of(times, "exponential")
    assert exponential.status == "no_failure_time"
    assert exponential.parameters["lambda"] == pytest.approx(5.0, abs=0.3)
    convex = simulate_inverse_omori(k=1.0, failure_time=5.0, p=40.0, end=1.0, events=5000, rng=rng)
    steep = status_of(convex, "inverse_omori")
    assert steep.parameters["p"] == pytest.approx(12.0)
    assert steep.status == "no_failure_time"
    assert steep.failure_time is None
    assert steep.interval is None


def test_failure_at_the_windows_end_has_an_upper_bound_only() -> None:
    rng = np.random.default_rng(4)
    times = simulate_hyperbolic(k=1.0, failure_time=1.0 + 1e-8, end=1.0, events=60, rng=rng)
    fit = status_of(np.append(times, [1.0 - 1e-12] * 20))
    assert fit.status == "at_window_end"
    assert fit.failure_time is None
    assert fit.interval is not None
    assert fit.interval.lower is None
    assert fit.interval.upper is not None
    assert 1.0 < fit.interval.upper < 1.001


def test_a_sequence_of_another_shape_is_not_adequate() -> None:
    rng = np.random.default_rng(5)
    burst = simulate_constant(k=1.0, start=0.45, end=0.5, events=300, rng=rng)
    fit = status_of(np.concatenate([burst, hyperbolic_times(300, failure=1.1, end=1.0)]))
    assert fit.status == "not_adequate"
    assert fit.failure_time is not None
    assert fit.adequacy is not None
    assert fit.adequacy.p_value < 0.01


def test_a_hyperbolic_sequence_gives_a_forecast() -> None:
    fit = status_of(hyperbolic_times(), end=0.9)
    assert fit.status == "forecast"
    assert fit.interval is not None
    assert fit.interval.lower is not None
    assert fit.interval.upper is not None
    assert fit.failure_time is not None
    assert fit.interval.lower < fit.failure_time < fit.interval.upper


def test_a_wider_level_gives_a_wider_interval() -> None:
    times = hyperbolic_times()
    narrow = fit_failure(times, start=0.0, end=0.9, level=0.5).interval
    wide = fit_failure(times, start=0.0, end=0.9, level=0.95).interval
    assert narrow is not None
    assert wide is not None
    assert narrow.lower is not None
    assert narrow.upper is not None
    assert wide.lower is not None
    assert wide.upper is not None
    assert wide.lower < narrow.lower < narrow.upper < wide.upper


def test_p_near_one_is_smooth() -> None:
    times = hyperbolic_times(400)
    likelihoods = [
        float(np.log(model_rate("inverse_omori", {"k": 1.0, "t_f": 1.0, "p": p}, times)).sum())
        - float(model_cumulative("inverse_omori", {"k": 1.0, "t_f": 1.0, "p": p}, 0.9))
        for p in (1.0 - 1e-9, 1.0, 1.0 + 1e-9)
    ]
    assert likelihoods[0] == pytest.approx(likelihoods[1], abs=1e-5)
    assert likelihoods[2] == pytest.approx(likelihoods[1], abs=1e-5)


# Bad input.


@pytest.mark.parametrize("bad", [1.0, 1.5, -0.1, math.nan, math.inf, -math.inf])
def test_a_time_outside_the_window_is_refused(bad: float) -> None:
    times = [*np.linspace(0.0, 0.9, 20), bad]
    with pytest.raises(ValueError, match="not in"):
        fit_failure(times, start=0.0, end=1.0)
    with pytest.raises(ValueError, match="window 0"):
        fit_many(times, [0, 21], [1.0])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"start": 1.0, "end": 1.0}, "empty"),
        ({"start": 2.0, "end": 1.0}, "empty"),
        ({"start": math.nan, "end": 1.0}, "empty"),
        ({"model": "hyperbolc"}, "did you mean 'hyperbolic'"),
        ({"level": 1.0}, "level"),
        ({"level": 0.0}, "level"),
        ({"failure_time": 1.0}, "after the window's end"),
        ({"failure_time": 0.5}, "after the window's end"),
    ],
)
def test_a_bad_option_is_refused(options: dict[str, object], message: str) -> None:
    call = {"start": 0.0, "end": 1.0, **options}
    with pytest.raises(ValueError, match=message):
        fit_failure(np.array([]), **call)  # type: ignore[arg-type]  # wrong on purpose


def test_offsets_that_do_not_divide_the_times_are_refused() -> None:
    for offsets in ([0, 2], [1, 3], [0, 2, 2], [0, 4, 3]):
        with pytest.raises(ValueError, match="offsets"):
            fit_many([0.1, 0.2, 0.3], offsets, [1.0] if len(offsets) == 2 else [1.0, 1.0])
    with pytest.raises(ValueError, match="durations"):
        fit_many([0.1], [0, 1], [0.0])


def test_no_window_at_all_is_no_fit() -> None:
    assert fit_many([], [0], []).codes.size == 0
