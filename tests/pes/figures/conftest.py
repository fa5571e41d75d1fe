"""A small sequence with fits to draw."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

from flowquake.records import NS_PER_DAY, NS_PER_MINUTE, EventBatch, Forecast, Interval, Window

START = 1_300_000_000_000_000_000


@pytest.fixture
def make_window() -> Callable[..., Window]:
    """Make a window of 100 units with 60 events towards a failure at 110."""

    def make(timescale: str = "utc", **changes: object) -> Window:
        unit = NS_PER_DAY if timescale == "utc" else NS_PER_MINUTE
        start = START if timescale == "utc" else 0
        share = np.linspace(0.01, 0.99, 60)
        times = 110.0 * (1.0 - np.exp(-share * math.log(110 / 10)))
        events = EventBatch(
            source="Etna",
            time=start + (times * unit).astype(np.int64),
            magnitude=np.round(1.0 + np.random.default_rng(0).exponential(0.4, 60), 1),
            timescale=timescale,  # type: ignore[arg-type]  # values of several types by name
        )
        values: dict[str, object] = {
            "source": "Etna",
            "key": None,
            "start": start,
            "end": start + 100 * unit,
            "events": events,
            "rule": "expanding",
            "number": 3,
            "final": True,
        }
        return Window(**{**values, **changes})  # type: ignore[arg-type]  # values of several types by name

    return make


@pytest.fixture
def make_forecast() -> Callable[..., Forecast]:
    """Make the hyperbolic forecast of such a window, issued after `issued` units."""

    def make(timescale: str = "utc", issued: float = 100.0, **changes: object) -> Forecast:
        unit = NS_PER_DAY if timescale == "utc" else NS_PER_MINUTE
        start = START if timescale == "utc" else 0
        end = start + int(issued * unit)
        values: dict[str, object] = {
            "source": "Etna",
            "issued": end,
            "data_until": end,
            "window_start": start,
            "window_end": end,
            "time_unit": "days" if timescale == "utc" else "minutes",
            "timescale": timescale,
            "model": "hyperbolic",
            "status": "forecast",
            "events": 60,
            "parameters": {"k": 60 / math.log(110 / 10)},
            "failure_time": start + 110 * unit,
            "interval": Interval(level=0.9, lower=start + 105 * unit, upper=start + 120 * unit),
        }
        return Forecast(**{**values, **changes})  # type: ignore[arg-type]  # values of several types by name

    return make
