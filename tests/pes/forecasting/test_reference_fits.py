"""Fits to real catalogs whose numbers are known from other programs."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from flowquake.pes.catalogs import read_catalog
from flowquake.pes.forecasting import FailureFit, fit_failure
from flowquake.records import NS_PER_DAY, EventBatch, days, to_ns

SharedData = Callable[[str], Path]
HIERRO_END = datetime(2011, 10, 10, tzinfo=UTC)


def fits(
    events: EventBatch, start: datetime, end: datetime, least: int, *models: str
) -> list[FailureFit]:
    bins = np.floor(events.magnitude / 0.1 + 0.5 + 1e-9)
    since, until = to_ns(start), to_ns(end)
    chosen = events.where((bins >= least) & (events.time >= since) & (events.time < until))
    times = (chosen.time - since) / NS_PER_DAY
    return [fit_failure(times, start=0, end=days(until - since), model=m) for m in models]


@pytest.fixture(scope="module")
def etna(shared_data: SharedData) -> EventBatch:
    path = shared_data("volcano/etna/Etna_INGVCT_C1_99-170214.txt")
    events, _ = read_catalog(path, format="ingv-ct")
    inside = (events.latitude >= 37.5) & (events.latitude < 37.9)
    return events.where(inside & (events.longitude >= 14.7) & (events.longitude < 15.3))


@pytest.fixture(scope="module")
def hierro(shared_data: SharedData) -> EventBatch:
    path = shared_data("volcano/el_hierro/Hierro_IGN_C2_11-070114.txt")
    return read_catalog(path, format="ign-web")[0]


@pytest.mark.parametrize(
    ("start", "end", "n", "likelihoods", "k", "failure", "interval", "omori", "p"),
    [
        (
            datetime(2011, 8, 1, tzinfo=UTC),
            datetime(2013, 1, 1, tzinfo=UTC),
            394,
            (-502.567872, -459.126233, -457.909074, -457.774150),
            239.383695,
            642.995382,
            (606.55, 698.24),
            721.16,
            1.30458,
        ),
        (
            datetime(2011, 9, 1, tzinfo=UTC),
            datetime(2012, 12, 30, tzinfo=UTC),
            378,
            (-472.996854, -437.388420, -436.457215, -436.328093),
            249.3606,
            622.769926,
            (581.22, 687.95),
            712.9351,
            1.33772,
        ),
    ],
)
def test_etna(
    etna: EventBatch,
    start: datetime,
    end: datetime,
    n: int,
    likelihoods: tuple[float, ...],
    k: float,
    failure: float,
    interval: tuple[float, float],
    omori: float,
    p: float,
) -> None:
    found = fits(etna, start, end, 13, "constant", "exponential", "hyperbolic", "inverse_omori")
    assert {fit.events for fit in found} == {n}
    for fit, expected in zip(found[:3], likelihoods, strict=False):
        assert fit.log_likelihood == pytest.approx(expected, abs=1e-4)
    assert found[3].log_likelihood == pytest.approx(likelihoods[3], abs=1e-3)
    hyperbolic, inverse = found[2], found[3]
    assert hyperbolic.status == "forecast"
    # A third parameter leaves less room for chance: simulating from this very fit and
    # fitting again, a distance as large comes in 0.7 % of the cases.
    assert inverse.status == "not_adequate"
    assert hyperbolic.parameters["k"] == pytest.approx(k, rel=1e-5)
    assert hyperbolic.failure_time == pytest.approx(failure, abs=1e-4)
    assert hyperbolic.interval is not None
    assert hyperbolic.interval[1:] == pytest.approx(interval, abs=0.02)
    assert inverse.failure_time == pytest.approx(omori, abs=0.05)
    assert inverse.parameters["p"] == pytest.approx(p, abs=5e-4)
    assert min(found, key=lambda fit: fit.aic or np.inf) is hyperbolic


@pytest.mark.parametrize(
    ("before", "n", "likelihood", "after"),
    [
        (0, 2476, 6445.5412, 10.35),
        (1, 2464, 6505.6850, 7.05),
        (2, 2409, 6370.7284, 4.85),
        (5, 2144, 5455.9391, 1.92),
        (10, 1733, 4103.2058, -5.31),
    ],
)
def test_el_hierro(
    hierro: EventBatch, before: int, n: int, likelihood: float, after: float
) -> None:
    start, end = datetime(2011, 7, 19, tzinfo=UTC), HIERRO_END - timedelta(days=before)
    (fit,) = fits(hierro, start, end, 17, "hyperbolic")
    assert fit.events == n
    assert fit.log_likelihood == pytest.approx(likelihood, abs=1e-4)
    assert fit.failure_time is not None
    onset = (HIERRO_END - start) / timedelta(days=1)
    assert fit.failure_time - onset == pytest.approx(after, abs=0.005)
    assert fit.adequacy is not None
    assert fit.adequacy.p_value_naive < 1e-6
    assert fit.adequacy.p_value < fit.adequacy.p_value_naive
    assert fit.status == "not_adequate"
    assert fit.interval is not None
    assert None not in fit.interval
