"""Estimates from a window, and their JSON."""

import json

from flowquake.records import BValue, Completeness


def test_an_estimate_is_one_line_of_json() -> None:
    estimate = Completeness(
        source="etna",
        key=None,
        time=10**9,
        method="maxc",
        mc=1.2,
        mc_uncorrected=1.0,
        correction=0.2,
        events=100,
        events_above=60,
    )
    record = json.loads(estimate.to_json_line())
    assert record["time"] == "1970-01-01T00:00:01Z"
    assert (record["mc"], record["mc_uncorrected"], record["correction"]) == (1.2, 1.0, 0.2)
    assert list(record)[:4] == ["source", "key", "time", "method"]


def test_what_does_not_exist_is_null_and_laboratory_times_are_seconds() -> None:
    estimate = BValue(
        source="DDS7",
        key=None,
        time=1_500_000_000,
        method="binned",
        b=float("nan"),
        uncertainty=None,
        mc=None,
        events=0,
        timescale="elapsed",
    )
    record = json.loads(estimate.to_json_line())
    assert (record["time"], record["b"], record["uncertainty"]) == (1.5, None, None)
