from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import permutations

import numpy as np
import pytest

from flowquake import ConfigError, InputError, Workflow, run
from flowquake.pes.forecasting import (
    MODELS,
    CompareModels,
    FitFailure,
    SimulateCatalog,
    simulate_hyperbolic,
)
from flowquake.pes.forecasting.elements import forecast_from_fit
from flowquake.pes.forecasting.models import FailureFit, FailureInterval
from flowquake.records import (
    NS_PER_DAY,
    NS_PER_MINUTE,
    EventBatch,
    Forecast,
    Timescale,
    Window,
    format_time,
    to_ns,
)
from flowquake.testing import run_element

START = datetime(2011, 7, 19, tzinfo=UTC)


def window(
    *, n: int = 200, end: float = 90.0, timescale: Timescale = "utc", number: int = 0
) -> Window:
    unit = NS_PER_DAY if timescale == "utc" else NS_PER_MINUTE
    rng = np.random.default_rng(1)
    times = simulate_hyperbolic(k=1.0, failure_time=100.0, end=end, events=n, rng=rng)
    start = to_ns(START) if timescale == "utc" else 0
    ns = start + np.minimum((times * unit).astype(np.int64), round(end * unit) - 1)
    return Window(
        source="etna",
        key=None,
        start=start,
        end=start + round(end * unit),
        events=EventBatch(source="etna", time=ns, timescale=timescale),
        rule="expanding",
        number=number,
        final=False,
        completeness_magnitude=1.3,
        completeness_warning=True,
        settings={"window": "expanding", "cutoff": 1.3},
    )


def forecasts(given: Window, **parameters: object) -> list[Forecast]:
    found: list[Forecast] = []
    for model in MODELS:
        element = FitFailure(model=model, **parameters)  # type: ignore[arg-type]  # parameters by name, some wrong on purpose
        found += run_element(element, {"window": [given]})["forecast"]
    return found


def test_a_window_gives_a_forecast() -> None:
    given = window()
    (forecast,) = run_element(FitFailure(), {"window": [given]})["forecast"]
    assert forecast.source == "etna"
    assert forecast.model == "hyperbolic"
    assert forecast.status == "forecast"
    assert forecast.issued == forecast.data_until == forecast.window_end == given.end
    assert forecast.window_start == given.start
    assert forecast.time_unit == "days"
    assert forecast.events == 200
    assert forecast.completeness_magnitude == 1.3
    assert forecast.completeness_warning
    assert forecast.best_aic is forecast.best_bic is forecast.probability is None
    assert forecast.settings == {
        "window": "expanding",
        "cutoff": 1.3,
        "level": 0.9,
        "failure_time": None,
    }
    assert forecast.failure_time is not None
    after = (forecast.failure_time - given.start) / NS_PER_DAY
    assert after == pytest.approx(100.0, abs=7.0)
    assert after == pytest.approx(forecast.parameters["t_f"], abs=1e-9)
    assert forecast.interval is not None
    assert forecast.interval.lower is not None
    assert forecast.interval.upper is not None
    assert given.end < forecast.interval.lower < forecast.failure_time < forecast.interval.upper
    assert forecast.adequacy is not None
    assert Forecast.from_json(forecast.to_json()) == forecast


def late_fit(failure_time: float, upper: float) -> FailureFit:
    return FailureFit(
        model="hyperbolic",
        status="forecast",
        events=200,
        parameters={"k": 1e6, "t_f": failure_time},
        log_likelihood=-100.0,
        aic=204.0,
        bic=210.0,
        failure_time=failure_time,
        interval=FailureInterval(0.9, 100.0, upper),
        adequacy=None,
        start=0.0,
        end=90.0,
    )


def test_an_interval_beyond_the_last_date_is_open() -> None:
    found = forecast_from_fit(late_fit(200.0, 9e6), window(), time_unit="days", settings={})
    assert found.status == "forecast"
    assert found.interval is not None
    assert found.interval.upper is None
    assert Forecast.from_json(found.to_json()) == found


def test_a_failure_beyond_the_last_date_is_no_failure_time() -> None:
    found = forecast_from_fit(late_fit(8e6, 9e6), window(), time_unit="days", settings={})
    assert (found.status, found.failure_time, found.interval) == ("no_failure_time", None, None)
    assert Forecast.from_json(found.to_json()) == found


def test_laboratory_times_are_in_minutes() -> None:
    (forecast,) = run_element(FitFailure(), {"window": [window(timescale="elapsed")]})["forecast"]
    (dated,) = run_element(FitFailure(), {"window": [window()]})["forecast"]
    assert forecast.time_unit == "minutes"
    assert forecast.timescale == "elapsed"
    assert forecast.parameters["t_f"] == pytest.approx(dated.parameters["t_f"], rel=1e-9)
    (in_days,) = run_element(
        FitFailure(time_unit="days"), {"window": [window(timescale="elapsed")]}
    )["forecast"]
    assert in_days.failure_time == pytest.approx(forecast.failure_time, abs=1000)


def test_forecasts_that_differ_in_a_choice_have_other_ids() -> None:
    given = window()
    made = [
        run_element(element, {"window": [given]})["forecast"][0].id
        for element in (
            FitFailure(),
            FitFailure(model="exponential"),
            FitFailure(level=0.8),
            FitFailure(failure_time=START + timedelta(days=100)),
        )
    ]
    assert len(set(made)) == 4
    assert run_element(FitFailure(), {"window": [given]})["forecast"][0].id == made[0]


def test_an_event_just_before_the_end_is_fitted() -> None:
    given = window()
    late = EventBatch.concat([given.events, EventBatch(source="etna", time=[given.end - 1])])
    (forecast,) = run_element(FitFailure(), {"window": [replace(given, events=late)]})["forecast"]
    assert forecast.events == 201


def test_a_given_failure_time_is_a_setting_and_the_answer() -> None:
    known = START + timedelta(days=100)
    found = forecasts(window(), failure_time=known)
    for forecast in found:
        assert forecast.settings["failure_time"] == format_time(to_ns(known))
        assert forecast.interval is None
        if forecast.status == "forecast":
            assert forecast.failure_time == pytest.approx(to_ns(known), abs=10_000)
    assert [f.status for f in found][2] == "forecast"
    assert found[2].aic == pytest.approx(2.0 - 2.0 * (found[2].log_likelihood or 0.0))


@pytest.mark.parametrize("after", [-1, 0])
def test_a_failure_time_inside_the_data_is_refused(after: int) -> None:
    given = window()
    element = FitFailure(failure_time=given.end + after)
    with pytest.raises(ConfigError, match="not after the window's end"):
        run_element(element, {"window": [given]})


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"model": "hyperbolc"}, "did you mean 'hyperbolic'"),
        ({"level": 1.5}, "level"),
        ({"time_unit": "day"}, "did you mean 'days'"),
    ],
)
def test_a_bad_parameter_is_refused(parameters: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        FitFailure(**parameters)  # type: ignore[arg-type]  # parameters by name, some wrong on purpose


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("n", [0, 1, 9])
def test_too_few_events_are_a_status(model: str, n: int) -> None:
    found = run_element(FitFailure(model=model), {"window": [window(n=n)]})["forecast"]
    assert [f.status for f in found] == ["too_few_events"]
    assert found[0].adequacy is None
    assert dict(found[0].parameters) == {}


def test_an_event_outside_its_window_is_refused() -> None:
    given = window()
    for time in (given.end, given.start - 1):
        outside = EventBatch(source="etna", time=[time])
        with pytest.raises(InputError, match="outside its window"):
            run_element(FitFailure(), {"window": [replace(given, events=outside)]})


def test_the_best_model_of_each_window_is_marked_in_any_order() -> None:
    found = forecasts(window())
    for order in permutations(found):
        compared = run_element(CompareModels(), {"forecast": order})["compared"]
        assert [f.model for f in compared] == list(MODELS)
        assert [f.best_aic for f in compared] == [False, False, True, False]
        assert [f.best_bic for f in compared] == [False, False, True, False]


def test_windows_that_overlap_are_compared_apart() -> None:
    early, late = forecasts(window(end=80.0)), forecasts(window(end=90.0))
    mixed = [f for pair in zip(early, late, strict=True) for f in pair]
    result = run_element(CompareModels(), {"forecast": mixed})
    assert [f.window_end for f in result["compared"]] == [f.window_end for f in early + late]
    assert sum(bool(f.best_aic) for f in result["compared"]) == 2


def test_a_window_that_stays_incomplete_is_let_go_unmarked_and_counted() -> None:
    found = forecasts(window())[:3]
    result = run_element(CompareModels(), {"forecast": found})
    assert [f.best_aic for f in result["compared"]] == [None] * 3
    assert result.counters == {"not compared: a model of the window is missing": 3}


def test_without_a_fit_no_model_is_best() -> None:
    result = run_element(CompareModels(), {"forecast": forecasts(window(n=5))})
    assert [f.best_aic for f in result["compared"]] == [False] * 4


def test_a_model_that_was_not_named_is_refused() -> None:
    with pytest.raises(ConfigError, match="exponential"):
        run_element(CompareModels(models=["constant"]), {"forecast": forecasts(window())[1:2]})
    with pytest.raises(ConfigError, match="did you mean"):
        CompareModels(models=["hyperbolc"])
    with pytest.raises(ConfigError, match="each once"):
        CompareModels(models=["constant", "constant"])


def test_a_simulated_catalog_follows_the_runs_seed() -> None:
    def catalog(seed: int) -> EventBatch:
        workflow = Workflow("simulated")
        source = workflow.add(SimulateCatalog())
        result = run(workflow, collect=[source.catalog], seed=seed)
        batches = result[source.catalog]
        return EventBatch.concat(batches)

    assert catalog(1).equals(catalog(1))
    assert not catalog(1).equals(catalog(2))
    with pytest.raises(ConfigError, match="failure_day"):
        SimulateCatalog(days=100.0)
