"""What intervals and statuses promise, on simulated sequences.

``python -m benchmarks.calibrate --out DIR`` writes ``calibration.json`` and
``calibration.md``, and fails if a figure is outside its range.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from flowquake.pes.forecasting import (
    ManyFits,
    fit_many,
    simulate_constant,
    simulate_exponential,
    simulate_hyperbolic,
    simulate_inverse_omori,
)

SEED = 20110719
K, FAILURE, END = 86.8589, 1.0, 0.9
NOT_ADEQUATE, NO_ACCELERATION = 4, 1

FloatArray = npt.NDArray[np.float64]
Draw = Callable[[np.random.Generator], FloatArray]


@dataclass(frozen=True)
class Errors:
    """Fitted failure times less the true one, and their intervals."""

    median_error: float
    mean_error: float
    deviation: float
    coverage: float
    open_intervals: int


@dataclass(frozen=True)
class Figure:
    """A number and the range it has to lie in; None is no bound."""

    name: str
    value: float
    least: float | None
    most: float | None

    @property
    def holds(self) -> bool:
        """Whether it lies there."""
        return (self.least is None or self.value >= self.least) and (
            self.most is None or self.value <= self.most
        )


def fit_drawn(
    draw: Draw, count: int, *, end: float, model: str, seed: int, level: float | None = None
) -> ManyFits:
    """Draw sequences and fit them in one call."""
    rng = np.random.default_rng([SEED, seed])
    parts = [draw(rng) for _ in range(count)]
    offsets = np.concatenate([[0], np.cumsum([part.size for part in parts])])
    return fit_many(np.concatenate(parts), offsets, np.full(count, end), model=model, level=level)


def draw_hyperbolic(rng: np.random.Generator) -> FloatArray:
    """Draw the reference sequence: about 200 events, nine tenths of the way to failure."""
    return simulate_hyperbolic(k=K, failure_time=FAILURE, end=END, rng=rng)


def hyperbolic_sequences(count: int, seed: int = 1) -> Errors:
    """Fit hyperbolic sequences and compare with the truth."""
    fits = fit_drawn(draw_hyperbolic, count, end=END, model="hyperbolic", seed=seed, level=0.9)
    error = END + fits.failure_after - FAILURE
    true_after = FAILURE - END
    open_ends = np.isnan(fits.lower) | np.isnan(fits.upper)
    held = (np.nan_to_num(fits.lower, nan=0.0) <= true_after) & (
        np.nan_to_num(fits.upper, nan=np.inf) >= true_after
    )
    return Errors(
        median_error=float(np.median(error)),
        mean_error=float(error.mean()),
        deviation=float(error.std(ddof=1)),
        coverage=float(held.mean()),
        open_intervals=int(open_ends.sum()),
    )


def constant_rate(count: int, events: int, model: str = "hyperbolic") -> float:
    """Give the share of constant-rate catalogs that seem to accelerate."""
    fits = fit_drawn(
        lambda rng: simulate_constant(k=1.0, end=1.0, events=events, rng=rng),
        count,
        end=1.0,
        model=model,
        seed=events,
    )
    return float(np.mean(fits.codes != NO_ACCELERATION))


def right_models(count: int, seed: int = 2) -> float:
    """Give the share of true hyperbolic sequences that are called not adequate."""
    fits = fit_drawn(draw_hyperbolic, count, end=END, model="hyperbolic", seed=seed)
    return float(np.mean(fits.codes == NOT_ADEQUATE))


def other_shapes(count: int) -> dict[str, float]:
    """Give the share of p-values below 0.01 where the model is right, away from the reference."""
    cases: dict[str, tuple[str, float, Draw]] = {
        "exponential, 200 events, growing 20-fold": (
            "exponential",
            1.0,
            lambda rng: simulate_exponential(k=1.0, growth=3.0, end=1.0, events=200, rng=rng),
        ),
        "hyperbolic, 50 events, half way": (
            "hyperbolic",
            0.5,
            lambda rng: simulate_hyperbolic(k=1, failure_time=1, end=0.5, events=50, rng=rng),
        ),
        "hyperbolic, 700 events, 0.999 of the way": (
            "hyperbolic",
            0.999,
            lambda rng: simulate_hyperbolic(k=1, failure_time=1, end=0.999, events=700, rng=rng),
        ),
    }
    for p in (0.6, 1.0, 3.0):
        cases[f"inverse Omori, p = {p}, 200 events, 0.95 of the way"] = (
            "inverse_omori",
            0.95,
            lambda rng, p=p: simulate_inverse_omori(  # type: ignore[misc]  # binds the loop's value
                k=1, failure_time=1, p=p, end=0.95, events=200, rng=rng
            ),
        )
    shares = {}
    for seed, (name, (model, end, draw)) in enumerate(cases.items(), start=10):
        fits = fit_drawn(draw, count, end=end, model=model, seed=seed)
        shares[name] = float(np.mean(fits.p_value < 0.01))
    return shares


def figures() -> list[Figure]:
    """Measure everything."""
    errors = hyperbolic_sequences(1000)
    many = hyperbolic_sequences(20_000, seed=3)
    found = [
        Figure("median error of t_f, 1000 sequences", errors.median_error, -0.004, 0.004),
        Figure("mean error of t_f", errors.mean_error, -0.008, 0.008),
        Figure("standard deviation of t_f", errors.deviation, 0.027, 0.036),
        Figure("90 % interval holds the truth", errors.coverage, 0.867, 0.926),
        Figure("intervals that are not closed", errors.open_intervals, 0, 0),
        Figure("the same coverage, 20 000 sequences", many.coverage, 0.885, 0.915),
    ]
    for events in (30, 100, 300):
        name = f"2000 constant rates of {events} events: not no_acceleration"
        found.append(Figure(name, constant_rate(2000, events), None, 0.07))
    for events in (30, 100, 300):
        name = f"the same, inverse Omori, {events} events"
        found.append(Figure(name, constant_rate(2000, events, "inverse_omori"), None, 0.10))
    found.append(Figure("2000 true hyperbolic: not_adequate", right_models(2000), 0.004, 0.018))
    for name, share in other_shapes(5000).items():
        found.append(Figure(f"p_value < 0.01 where true: {name}", share, None, 0.018))
    return found


def main() -> None:
    """Measure, print, write; fail if a figure is outside its range."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.calibrate")
    parser.add_argument("--out", type=Path, required=True)
    out = parser.parse_args().out
    found = figures()
    out.mkdir(parents=True, exist_ok=True)
    rows = [{**vars(figure), "holds": figure.holds} for figure in found]
    report = {"seed": SEED, "k": K, "failure_time": FAILURE, "end": END, "figures": rows}
    (out / "calibration.json").write_text(json.dumps(report, indent=2) + "\n")
    (out / "calibration.md").write_text(as_page(found))
    print(as_page(found))
    raise SystemExit(not all(figure.holds for figure in found))


def as_page(found: list[Figure]) -> str:
    """Lay the figures out as a page."""
    lines = [
        "---",
        "orphan: true",
        "---",
        "",
        "# Calibration",
        "",
        f"Written by `make calibrate`, seed {SEED}. Where nothing else is said, sequences are",
        f"drawn from the hyperbolic rate k / (t_f − t) with k = {K}, t_f = {FAILURE}, observed",
        f"until {END}: about 200 events each.",
        "",
        "| figure | value | asked | holds |",
        "| --- | --- | --- | --- |",
    ]
    for figure in found:
        asked = f"{_bound(figure.least)} … {_bound(figure.most)}"
        holds = "yes" if figure.holds else "NO"
        lines.append(f"| {figure.name} | {figure.value:.4g} | {asked} | {holds} |")
    return "\n".join(lines) + "\n"


def _bound(value: float | None) -> str:
    return "" if value is None else f"{value:g}"


if __name__ == "__main__":
    main()
