"""The eruption forecast on real catalogs, against reference figures."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from flowquake import run
from flowquake.records import parse_time
from flowquake.workflows import eruption_forecast

DAY = 86_400 * 10**9


def forecasts(out: Path, **parameters: Any) -> dict[str, dict[str, Any]]:
    """Run the workflow; give the forecasts of its only window by model."""
    run(eruption_forecast.build(**parameters), out=out)
    lines = (out / "outputs" / "forecasts.jsonl").read_text(encoding="utf-8").splitlines()
    return {record["model"]: record for record in map(json.loads, lines)}


def days_after(text: str, start: str) -> float:
    return (parse_time(text) - parse_time(start)) / DAY


ETNA = {
    "format": "ingv-ct",
    "box": (37.5, 37.9, 14.7, 15.3),
    "min_magnitude": 1.3,
    "model": "all",
}


@pytest.mark.parametrize(
    ("start", "end", "events", "constant", "exponential", "hyperbolic", "omori"),
    [
        (
            "2011-08-01",
            "2013-01-01",
            394,
            -502.567872,
            -459.126233,
            (-457.909074, 239.383695, 642.995382, 606.55, 698.24),
            (-457.774150, 721.16, 1.30458),
        ),
        (
            "2011-09-01",
            "2012-12-30",
            378,
            -472.996854,
            -437.388420,
            (-436.457215, 249.3606, 622.769926, 581.22, 687.95),
            (-436.328093, 712.9351, 1.33772),
        ),
    ],
)
def test_etna_gives_the_reference_figures(
    shared_data: Callable[[str], Path],
    tmp_path: Path,
    start: str,
    end: str,
    events: int,
    constant: float,
    exponential: float,
    hyperbolic: tuple[float, float, float, float, float],
    omori: tuple[float, float, float],
) -> None:
    found = forecasts(
        tmp_path,
        catalog=shared_data("volcano/etna/Etna_INGVCT_C1_99-170214.txt"),
        start=datetime.fromisoformat(start).replace(tzinfo=UTC),
        end=datetime.fromisoformat(end).replace(tzinfo=UTC),
        **ETNA,
    )
    assert {record["events"] for record in found.values()} == {events}
    assert found["constant"]["log_likelihood"] == pytest.approx(constant, abs=1e-4)
    assert found["exponential"]["log_likelihood"] == pytest.approx(exponential, abs=1e-4)
    fit = found["hyperbolic"]
    assert fit["log_likelihood"] == pytest.approx(hyperbolic[0], abs=1e-4)
    assert fit["parameters"]["k"] == pytest.approx(hyperbolic[1], rel=1e-5)
    assert days_after(fit["failure_time"], start) == pytest.approx(hyperbolic[2], abs=1e-4)
    assert days_after(fit["interval"]["lower"], start) == pytest.approx(hyperbolic[3], abs=0.02)
    assert days_after(fit["interval"]["upper"], start) == pytest.approx(hyperbolic[4], abs=0.02)
    fit = found["inverse_omori"]
    assert fit["log_likelihood"] == pytest.approx(omori[0], abs=1e-3)
    assert days_after(fit["failure_time"], start) == pytest.approx(omori[1], abs=0.05)
    assert fit["parameters"]["p"] == pytest.approx(omori[2], abs=5e-4)
    assert [model for model, record in found.items() if record["best_aic"]] == ["hyperbolic"]


@pytest.mark.parametrize(
    ("days_before", "events", "log_likelihood", "failure"),
    [
        (0, 2476, 6445.5412, 10.35),
        (1, 2464, 6505.6850, 7.05),
        (2, 2409, 6370.7284, 4.85),
        (5, 2144, 5455.9391, 1.92),
        (10, 1733, 4103.2058, -5.31),
    ],
)
def test_el_hierro_gives_the_reference_figures(
    shared_data: Callable[[str], Path],
    tmp_path: Path,
    days_before: int,
    events: int,
    log_likelihood: float,
    failure: float,
) -> None:
    onset = datetime(2011, 10, 10, tzinfo=UTC)
    fit = forecasts(
        tmp_path,
        catalog=shared_data("volcano/el_hierro/Hierro_IGN_C2_11-070114.txt"),
        format="ign-web",
        start=datetime(2011, 7, 19, tzinfo=UTC),
        end=onset - timedelta(days=days_before),
        min_magnitude=1.7,
        model="hyperbolic",
    )["hyperbolic"]
    assert fit["events"] == events
    assert fit["log_likelihood"] == pytest.approx(log_likelihood, abs=1e-4)
    assert days_after(fit["failure_time"], "2011-10-10") == pytest.approx(failure, abs=0.005)
    assert fit["adequacy"]["p_value_naive"] < 1e-6
    assert fit["status"] == "not_adequate"
    assert fit["interval"]["level"] == 0.9
