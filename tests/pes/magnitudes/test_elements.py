from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from flowquake.errors import ConfigError
from flowquake.pes.magnitudes import (
    EstimateBValue,
    EstimateCompleteness,
    binned_b,
    goodness_of_fit,
    maximum_curvature,
)
from flowquake.records import NS_PER_DAY, BValue, Completeness, EventBatch, Window
from flowquake.testing import ElementResult, run_element


def window(magnitudes: object, *, number: int = 0, key: str | None = None) -> Window:
    sizes = np.asarray(magnitudes, dtype=np.float64)
    events = EventBatch(source="etna", time=np.arange(sizes.size) * NS_PER_DAY, magnitude=sizes)
    return Window(
        source="etna",
        key=key,
        start=0,
        end=max(sizes.size, 1) * NS_PER_DAY,
        events=events,
        rule="expanding",
        number=number,
        final=False,
        settings={"step_days": 10},
    )


def estimate(*windows: Window, **parameters: object) -> ElementResult:
    return run_element(EstimateCompleteness(**parameters), {"window": windows})  # type: ignore[arg-type]  # parameters by name, some wrong on purpose


def gutenberg_richter(n: int, seed: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.round(np.random.default_rng(seed).exponential(1 / np.log(10.0), n) + 0.95, 1)


def test_a_window_is_cut_at_the_curvature_plus_the_correction() -> None:
    given = window([0.9, 1.0, 1.0, 1.1, 1.2, 1.3, np.nan])
    result = estimate(given, cutoff="maxc")
    (cut,) = result["windows"]
    assert cut.events.magnitude.tolist() == [1.2, 1.3]
    assert (cut.completeness_magnitude, cut.completeness_warning) == (1.2, False)
    assert (cut.start, cut.end, cut.number) == (given.start, given.end, given.number)
    assert result["completeness"] == [
        Completeness(
            source="etna",
            key=None,
            time=given.end,
            method="maxc",
            mc=1.2,
            mc_uncorrected=1.0,
            correction=0.2,
            events=6,
            events_above=2,
        )
    ]
    assert result.counters == {
        "dropped: below the completeness magnitude": 4,
        "dropped: no magnitude": 1,
    }


def test_settings_carry_the_rule_and_no_fitted_number() -> None:
    rules = {
        cutoff: dict(
            estimate(window(gutenberg_richter(500, 1)), cutoff=cutoff)["windows"][0].settings
        )
        for cutoff in ("maxc", "gft", "none", 1.3)
    }
    assert rules == {
        "maxc": {"step_days": 10, "cutoff": "maxc", "magnitude_width": 0.1, "correction": 0.2},
        "gft": {"step_days": 10, "cutoff": "gft", "magnitude_width": 0.1},
        "none": {"step_days": 10, "cutoff": "none"},
        1.3: {"step_days": 10, "cutoff": 1.3, "magnitude_width": 0.1},
    }


def test_each_window_is_judged_by_its_own_events_alone() -> None:
    early, late = window(gutenberg_richter(300, 2)), window(gutenberg_richter(900, 3) + 1.0)
    together = estimate(early, late, cutoff="gft")["completeness"]
    alone = estimate(late, cutoff="gft")["completeness"]
    assert together[1] == alone[0]
    assert together[0].mc == goodness_of_fit(early.events.magnitude).mc


@pytest.mark.parametrize("magnitudes", [[], [np.nan, np.nan], [1.2]], ids=["none", "nan", "one"])
def test_a_window_without_an_answer_passes_uncut_with_a_warning(magnitudes: list[float]) -> None:
    given = window(magnitudes)
    result = estimate(given, cutoff="gft")
    (passed,) = result["windows"]
    assert passed.events.equals(given.events)
    assert (passed.completeness_magnitude, passed.completeness_warning) == (None, True)
    assert result["completeness"][0].mc is None
    assert result.counters == {"windows without a completeness magnitude": 1}


def test_a_given_magnitude_keeps_its_own_bin() -> None:
    (cut,) = estimate(window([1.1, 1.2, 0.1 * 12, 1.3]), cutoff=1.2)["windows"]
    assert len(cut.events) == 3


def test_a_given_magnitude_below_the_curvature_is_warned_of() -> None:
    magnitudes = [0.5, 1.0, 1.0, 1.0, 1.5]
    assert maximum_curvature(magnitudes).mc == 1.0
    (low,) = estimate(window(magnitudes), cutoff=0.5)["windows"]
    (high,) = estimate(window(magnitudes), cutoff=1.0)["windows"]
    assert (low.completeness_warning, high.completeness_warning) == (True, False)


def test_a_number_given_as_text_is_a_number() -> None:
    (cut,) = estimate(window([1.1, 1.2]), cutoff="1.2")["windows"]
    assert cut.settings["cutoff"] == 1.2


def test_no_cutoff_leaves_the_window_as_it_is() -> None:
    given = window([1.1, np.nan])
    result = estimate(given, cutoff="none")
    assert result["windows"][0].events.equals(given.events)
    assert result["completeness"] == []


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"cutoff": "maxx"}, "did you mean 'maxc'"),
        ({"cutoff": float("nan")}, "magnitude"),
        ({"width": 0.0}, "width"),
        ({"correction": float("inf")}, "correction"),
        ({"correction": 1e308}, "correction"),
        ({"cutoff": 1e308}, "magnitude"),
        ({"cutoff": "1e308"}, "magnitude"),
    ],
)
def test_a_wrong_parameter_is_refused(parameters: dict[str, object], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        EstimateCompleteness(**parameters)  # type: ignore[arg-type]  # parameters by name, some wrong on purpose


def test_the_b_value_rests_on_the_windows_own_cutoff() -> None:
    given = replace(window(gutenberg_richter(400, 5), key="summit"), completeness_magnitude=1.2)
    (found,) = run_element(EstimateBValue(), {"window": [given]})["b_value"]
    expected = binned_b(given.events.magnitude, mc=1.2)
    assert found == BValue(
        source="etna",
        key="summit",
        time=given.end,
        method="binned",
        b=expected.b,
        uncertainty=expected.uncertainty,
        mc=1.2,
        events=expected.events,
    )


def test_b_positive_takes_the_events_in_the_order_of_time() -> None:
    given = window([1.0, 1.4, 1.1, 1.5, 1.2, 1.8])
    shuffled = replace(given, events=given.events.take(np.array([3, 0, 5, 1, 4, 2])))
    values = [
        run_element(EstimateBValue(method="b_positive", mc=1.0), {"window": [w]})["b_value"]
        for w in (given, shuffled)
    ]
    assert values[0] == values[1]


def test_a_window_without_a_cutoff_has_no_b_value() -> None:
    result = run_element(EstimateBValue(), {"window": [window([1.0, 1.1])]})
    assert result["b_value"][0].b is None
    assert result.counters == {"windows without a completeness magnitude": 1}


def test_an_unknown_estimator_is_refused() -> None:
    with pytest.raises(ConfigError, match="did you mean 'aki_utsu'"):
        EstimateBValue(method="aki_utsi")
