import json
import math
import pickle
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowquake.records import (
    STATUSES,
    Adequacy,
    Forecast,
    Interval,
    civil_ns,
    forecast_id,
    load_schema,
)

FIELDS = re.findall(
    r"\w+",
    """
    schema id revision source key settings issued data_until window_start window_end time_unit
    model status events completeness_magnitude completeness_warning parameters log_likelihood
    aic bic best_aic best_bic failure_time interval probability adequacy
    """,
)

numbers = st.none() | st.floats(allow_nan=False, allow_infinity=False)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=5) | numbers,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=6,
)
shares = st.floats(0, 1)


@st.composite
def forecasts(draw: st.DrawFn) -> Forecast:
    timescale = draw(st.sampled_from(["utc", "elapsed"]))
    times = (
        st.integers(civil_ns(1900, 1, 1), civil_ns(2200, 1, 1))
        if timescale == "utc"
        else st.integers(0, 10**15)
    )
    ends = st.none() | times
    return Forecast(
        revision=draw(st.integers(0, 5)),
        source=draw(st.text(min_size=1, max_size=5)),
        key=draw(st.none() | st.text(max_size=5)),
        settings=draw(st.dictionaries(st.text(max_size=5), json_values, max_size=3)),
        issued=draw(times),
        data_until=draw(times),
        window_start=draw(times),
        window_end=draw(times),
        time_unit=draw(st.sampled_from(["days", "minutes"])),
        model="hyperbolic",
        status=draw(st.sampled_from(STATUSES)),
        events=draw(st.integers(0, 10**6)),
        completeness_magnitude=draw(numbers),
        completeness_warning=draw(st.booleans()),
        parameters=draw(st.dictionaries(st.text(max_size=5), numbers, max_size=3)),
        log_likelihood=draw(numbers),
        aic=draw(numbers),
        bic=draw(numbers),
        best_aic=draw(st.none() | st.booleans()),
        best_bic=draw(st.none() | st.booleans()),
        failure_time=draw(ends),
        interval=draw(
            st.none() | st.builds(Interval, level=st.floats(0.01, 0.99), lower=ends, upper=ends)
        ),
        probability=draw(st.none() | st.dictionaries(st.sampled_from(["1", "10"]), shares)),
        adequacy=draw(
            st.none() | st.builds(Adequacy, ks=shares, p_value=shares, p_value_naive=shares)
        ),
        timescale=timescale,  # type: ignore[arg-type]  # drawn by the test
    )


@given(forecasts())
def test_a_forecast_survives_json(forecast: Forecast) -> None:
    line = forecast.to_json_line()
    again = Forecast.from_json(json.loads(line))
    assert again == forecast
    assert again.to_json_line() == line
    assert "\n" not in line
    assert pickle.loads(pickle.dumps(forecast)) == forecast


@given(forecasts())
def test_a_forecast_fits_the_published_schema(forecast: Forecast) -> None:
    jsonschema = pytest.importorskip("jsonschema", reason="jsonschema is not installed")
    schema = load_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(json.loads(forecast.to_json_line()), schema)


def minimal(**changes: Any) -> Forecast:
    values: dict[str, Any] = {
        "source": "etna", "issued": 10, "data_until": 10, "window_start": 0, "window_end": 10,
        "model": "hyperbolic", "status": "forecast", "events": 3,
    }  # fmt: skip
    return Forecast(**(values | changes))


def test_the_fields_come_in_the_published_order() -> None:
    assert list(minimal().to_json()) == [*FIELDS, "timescale"]
    assert load_schema()["required"] == [*FIELDS, "timescale"]


def test_numbers_that_do_not_exist_are_null() -> None:
    forecast = minimal(aic=math.inf, parameters={"k": math.nan}, settings={"a": [math.nan]})
    record = json.loads(forecast.to_json_line())
    assert record["aic"] is None
    assert record["parameters"] == {"k": None}
    assert record["settings"] == {"a": [None]}


def test_times_are_iso_or_seconds() -> None:
    assert minimal().to_json()["window_end"] == "1970-01-01T00:00:00.000000010Z"
    assert minimal(timescale="elapsed", issued=1_500_000_000).to_json()["issued"] == 1.5


def test_the_id_depends_on_what_was_asked_not_on_what_was_found() -> None:
    assert minimal().id == minimal(aic=3.0, status="not_adequate", revision=4).id
    different = {
        minimal().id, minimal(source="x").id, minimal(key="x").id, minimal(model="constant").id,
        minimal(settings={"a": 1}).id, minimal(data_until=11).id,
    }  # fmt: skip
    assert len(different) == 6
    assert minimal().id == forecast_id("etna", None, "hyperbolic", {}, 10)
    assert minimal(settings={"a": 1, "b": 2}).id == minimal(settings={"b": 2, "a": 1}).id


@pytest.mark.parametrize(
    "changes", [{"status": "maybe"}, {"time_unit": "weeks"}, {"timescale": "tai"}, {"schema": "2"}]
)
def test_wrong_values_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(changes))):
        minimal(**changes)


def test_unknown_and_missing_fields_are_refused() -> None:
    record = minimal().to_json()
    with pytest.raises(ValueError, match="'surprise' of the forecast is unknown"):
        Forecast.from_json(record | {"surprise": 1})
    del record["bic"]
    with pytest.raises(ValueError, match="'bic' of the forecast is missing"):
        Forecast.from_json(record)
