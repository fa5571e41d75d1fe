"""A fast slice of ``make calibrate``."""

from benchmarks.calibrate import constant_rate, hyperbolic_sequences, right_models


def test_hyperbolic_failure_times_are_unbiased_and_their_intervals_hold() -> None:
    found = hyperbolic_sequences(1000)
    assert abs(found.median_error) < 0.004
    assert abs(found.mean_error) < 0.008
    assert 0.027 <= found.deviation <= 0.036
    assert 0.867 <= found.coverage <= 0.926
    assert found.open_intervals == 0


def test_a_constant_rate_seldom_looks_like_an_acceleration() -> None:
    for events in (30, 100, 300):
        assert constant_rate(2000, events) <= 0.07


def test_a_right_model_is_seldom_called_not_adequate() -> None:
    assert 0.004 <= right_models(2000) <= 0.018
