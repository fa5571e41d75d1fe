"""Fits a second of the failure models, by number of events in a sequence.

The hyperbolic point estimate with its log-likelihood and status (adequacy
included), one call over many sequences, no start from an earlier fit, takes on
one core of a 2.6 GHz AMD Zen 4 about

- 11 µs at 1 000 events (29 cycles an event),
- 40 µs at 10 000 (10 cycles),
- 260 µs at 100 000 (7 cycles).

Of the 260 µs, 130 make 16 moments of the events (26 multiplications and
additions each: at most twice as fast, were both 256-bit units always busy), 54
multiply the exact product of the final likelihood, 31 scale and check the times,
22 take the distance to the uniform distribution. Reading 100 000 events once from
the second-level cache, at 20 GB/s, takes 40 µs: the fit is bound by arithmetic,
and within a factor 7 of reading its data. At 1 000 events half of the time is the
search over the domain (61 grid points, eight steps to the root), which does not
depend on the number of events.
"""

from __future__ import annotations

import time
from typing import ClassVar

import numpy as np

from flowquake.pes.forecasting import fit_failure, fit_many, simulate_hyperbolic

END = 0.9


class ManyFits:
    """One call over many sequences of one size."""

    params: ClassVar[tuple[tuple[int, ...], ...]] = ((1_000, 10_000, 100_000),)
    param_names = ("events",)
    unit = "fits/s"

    def setup(self, events: int) -> None:
        rng = np.random.default_rng(20110719)
        self.count = max(10, 1_000_000 // events)
        drawn = [
            simulate_hyperbolic(k=1.0, failure_time=1.0, end=END, events=events, rng=rng)
            for _ in range(self.count)
        ]
        self.times = np.concatenate(drawn)
        self.offsets = np.arange(self.count + 1) * events
        self.durations = np.full(self.count, END)
        fit_many(self.times[:events], self.offsets[:2], self.durations[:1])

    def _rate(self, model: str, level: float | None) -> float:
        best = float("inf")
        for _ in range(9):
            begin = time.perf_counter()
            fit_many(self.times, self.offsets, self.durations, model=model, level=level)
            best = min(best, time.perf_counter() - begin)
        return self.count / best

    def track_hyperbolic(self, events: int) -> float:
        return self._rate("hyperbolic", None)

    def track_hyperbolic_with_interval(self, events: int) -> float:
        return self._rate("hyperbolic", 0.9)

    def track_inverse_omori_with_interval(self, events: int) -> float:
        return self._rate("inverse_omori", 0.9)


class OneFit:
    """One sequence, one call, with interval and adequacy."""

    params: ClassVar[tuple[tuple[int | str, ...], ...]] = (
        (1_000, 20_000),
        ("exponential", "hyperbolic", "inverse_omori"),
    )
    param_names = ("events", "model")

    def setup(self, events: int, model: str) -> None:
        rng = np.random.default_rng(20110719)
        self.times = simulate_hyperbolic(k=1.0, failure_time=1.0, end=END, events=events, rng=rng)
        self.time_fit(events, model)

    def time_fit(self, events: int, model: str) -> None:
        fit_failure(self.times, start=0.0, end=END, model=model)
