import json
from pathlib import Path
from typing import Any

import pytest

from flowquake.cli.closing import closing_summary
from flowquake.cli.forecasts import forecast_table, last_forecasts, read_forecasts, show_interval
from flowquake.records import NS_PER_DAY, Forecast, Interval

DAY = NS_PER_DAY


def forecast(model: str, aic: float | None, **settings: Any) -> dict[str, Any]:
    given: dict[str, Any] = {
        "source": "etna",
        "issued": 40 * DAY,
        "data_until": 40 * DAY,
        "window_start": 0,
        "window_end": 40 * DAY,
        "model": model,
        "status": "forecast",
        "events": 99,
        "aic": aic,
    }
    return Forecast(**(given | settings)).to_json()


HYPERBOLIC = forecast(
    "hyperbolic",
    100.0,
    best_aic=True,
    failure_time=50 * DAY,
    interval=Interval(level=0.9, lower=None, upper=60 * DAY),
)


def test_models_within_two_units_are_not_separable() -> None:
    near, far = forecast("inverse_omori", 101.5), forecast("constant", 130.0)
    lines = forecast_table([HYPERBOLIC, near, far]).splitlines()
    assert "best; not separable" in lines[2]
    assert "not separable from the best" in lines[3]
    assert lines[4].endswith("30.00")


def test_a_fit_to_a_given_failure_is_not_called_a_forecast() -> None:
    given = forecast("hyperbolic", 1.0, settings={"failure_time": "1970-02-12T00:00:00Z"})
    first = forecast_table([given]).splitlines()[0]
    assert first.startswith("Fit of etna to a given failure at 1970-02-12 00:00 UTC, no forecast")


def test_times_are_utc_and_open_ends_are_said() -> None:
    text = forecast_table([HYPERBOLIC])
    assert "at 1970-02-10 00:00 UTC" in text
    assert "1970-02-20 00:00 UTC" in text
    assert show_interval(HYPERBOLIC) == "window's end to 1970-03-02 00:00"


def test_laboratory_times_are_minutes_or_seconds() -> None:
    lab = forecast(
        "hyperbolic", 1.0, time_unit="minutes", timescale="elapsed", failure_time=90 * 10**9
    )
    assert "1.500 min" in forecast_table([lab])


def test_a_status_is_said_in_words() -> None:
    assert "too few events" in forecast_table([forecast("constant", None, status="too_few_events")])


def test_control_characters_of_a_source_are_dropped() -> None:
    assert "\x1b" not in forecast_table([forecast("constant", 1.0, source="et\x1b[2Jna")])


def test_the_highest_revision_and_the_last_issue_count(tmp_path: Path) -> None:
    old = forecast("constant", 1.0, issued=DAY, data_until=DAY)
    first = forecast("constant", 2.0)
    second = {**first, "revision": 1, "aic": 3.0}
    file = tmp_path / "forecasts.jsonl"
    file.write_text("".join(json.dumps(r) + "\n" for r in (old, first, second)) + "not json\n")
    [[last]] = last_forecasts(read_forecasts(file))
    assert last["aic"] == 3.0


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"[]\n1\n"])
def test_a_file_that_holds_no_forecast_gives_none(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "forecasts.jsonl"
    file.write_bytes(content)
    assert read_forecasts(file) == []


def test_a_run_that_gave_no_forecast_says_so(tmp_path: Path) -> None:
    (tmp_path / "outputs").mkdir()
    (tmp_path / "outputs" / "forecasts.jsonl").write_text("")
    record = {
        "status": "done",
        "counts": {},
        "unconnected": {},
        "warnings": 0,
        "rejected": 0,
        "seconds": 1.0,
        "files": [],
    }
    assert "No forecast: no window has events." in closing_summary(record, tmp_path)
