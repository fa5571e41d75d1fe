"""A simulated catalog that looks like an observatory's, of a volcano that is not there."""

from __future__ import annotations

import math
from datetime import UTC, datetime

import numpy as np

from flowquake.pes.forecasting.simulation import (
    gutenberg_richter,
    simulate_constant,
    simulate_hyperbolic,
)
from flowquake.records import NS_PER_DAY, EventBatch, to_ns

BEGIN = datetime(2030, 1, 1, tzinfo=UTC)
LATITUDE, LONGITUDE = 39.5, 12.25  # open sea
LEAST_MAGNITUDE = 0.3


def simulate_catalog(
    *,
    rng: np.random.Generator,
    source: str = "demo",
    start: datetime = BEGIN,
    days: float = 95.0,
    failure_day: float = 100.0,
    k: float = 140.0,
    background: float = 0.05,
    b: float = 1.0,
    mc: float = 1.0,
) -> EventBatch:
    """Simulate earthquakes that accelerate towards a failure.

    Parameters
    ----------
    rng : numpy.random.Generator
        The source of chance.
    source : str, default "demo"
        What the events belong to.
    start : datetime
        Where the catalog begins.
    days : float, default 95
        Its length.
    failure_day : float, default 100
        When the rate diverges, days after ``start``; after the catalog's end.
    k : float, default 140
        Of the hyperbolic rate ``k / (t_f - t)`` of events with M ≥ ``mc``.
    background : float, default 0.05
        Events with M ≥ ``mc`` per day that have no part in the acceleration.
    b : float, default 1
        Slope of the Gutenberg-Richter law.
    mc : float, default 1
        The network misses more and more of the events below it.

    Returns
    -------
    EventBatch
        By time, with places, depths, magnitudes on a grid of 0.1 and ids.

    Raises
    ------
    ValueError
        If ``failure_day`` is not after ``days``, or a rate is negative.

    Examples
    --------
    >>> events = simulate_catalog(rng=np.random.default_rng(1))
    >>> events.source, bool(np.all(np.diff(events.time) >= 0)), float(events.magnitude.min()) < 1
    ('demo', True, True)
    """
    more = 10.0 ** (b * (mc - LEAST_MAGNITUDE))
    sequence = simulate_hyperbolic(k=k * more, failure_time=failure_day, end=days, rng=rng)
    noise = simulate_constant(k=background * more, end=days, rng=rng)
    t = np.concatenate([sequence, noise])
    near = np.arange(t.size) < sequence.size
    magnitude = gutenberg_richter(t.size, b=b, mc=LEAST_MAGNITUDE, rng=rng)
    # Seen with a chance that falls from one to nothing within half a unit below mc.
    seen = rng.random(t.size) < 0.5 * (1.0 + np.tanh((magnitude - mc + 0.25) / 0.1))
    seen |= magnitude > mc - 0.05
    spread = np.where(near, 0.8, 5.0)  # km
    north, east = spread * rng.standard_normal((2, t.size))
    rise = np.where(near, 3.0 * t / failure_day, 0.0)
    depth = np.where(near, 5.5, 8.0) - rise + np.where(near, 0.6, 2.5) * rng.standard_normal(t.size)
    order = np.lexsort((np.arange(t.size), t))
    order = order[seen[order]]
    degree = 111.195  # km
    return EventBatch(
        source=source,
        time=to_ns(start) + np.round(t[order] * NS_PER_DAY / 1e7).astype(np.int64) * 10_000_000,
        latitude=np.round(LATITUDE + north[order] / degree, 4),
        longitude=np.round(
            LONGITUDE + east[order] / (degree * math.cos(math.radians(LATITUDE))), 4
        ),
        depth=np.round(np.maximum(depth[order], 0.1), 1),
        magnitude=np.round(magnitude[order], 1),
        event_id=[f"fq{number:06d}" for number in range(1, order.size + 1)],
        magnitude_type=["ML"] * order.size,
    )
