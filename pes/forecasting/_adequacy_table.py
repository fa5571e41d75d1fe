"""Make the table that tells how far a right model's fit strays from its events.

``python -m flowquake.pes.forecasting._adequacy_table`` writes ``adequacy.json``
anew: quantiles of D sqrt(n), where D is the largest distance between the fitted
and the counted share of the events, over sequences drawn from a model and fitted
with that model. The fit follows the sequence, so D is smaller than the textbook
distribution says, by an amount that depends on the model, on n and on the true
parameters, but on no unit:

- ``uniform``: nothing but the amplitude is fitted (constant rate; hyperbolic with
  the failure time given). The textbook case.
- ``tilt``: one growth is fitted (exponential, x its growth over the window;
  inverse Omori with the failure time given, x = (p - 1) L). D of x is D of -x.
- ``hyperbolic``: by L = ln(1 + T / (t_f - T)), how near the window's end is to
  the failure.
- ``inverse_omori``: by L and p.

The value is looked up at the fitted L, x and p.
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from flowquake.pes.forecasting import _kernels

FloatArray = npt.NDArray[np.float64]

SEED = 20131011
SIMULATIONS = 20_000
TABLE = Path(__file__).with_name("adequacy.json")
TAIL = (
    *(0.99, 0.95, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2),
    *(0.15, 0.1, 0.07, 0.05, 0.03, 0.02, 0.01, 0.005, 0.002),
)
SIZES = (10.0, 15.0, 20.0, 30.0, 50.0, 100.0, 200.0, 500.0, 1000.0, 10000.0)
TILTS = (0.0, 1.0, 2.0, 4.0, 8.0, 16.0, 40.0)
LENGTHS = (0.1, 0.4, 0.8, 1.3, 2.0, 3.0, 4.5, 7.0, 10.0, 14.0)
POWERS = (0.1, 0.4, 0.7, 1.0, 1.5, 2.5, 5.0, 12.0)
FAMILIES: dict[str, tuple[int, dict[str, tuple[float, ...]]]] = {
    "uniform": (_kernels.CONSTANT, {"n": SIZES}),
    "tilt": (_kernels.EXPONENTIAL, {"n": SIZES, "tilt": TILTS}),
    "hyperbolic": (_kernels.HYPERBOLIC, {"n": SIZES, "length": LENGTHS}),
    "inverse_omori": (
        _kernels.INVERSE_OMORI,
        {"n": SIZES, "length": LENGTHS[::2] + LENGTHS[-1:], "power": POWERS},
    ),
}


def draw_times(
    kind: int, n: int, count: int, *, length: float, tilt: float, rng: np.random.Generator
) -> FloatArray:
    """Draw sequences of n events on [0, 1), each ascending.

    Parameters
    ----------
    kind : int
        The model, as numbered in `_kernels`.
    n, count : int
        Events of a sequence; sequences.
    length, tilt : float
        L (hyperbolic and inverse Omori) and x; both dimensionless.
    rng : numpy.random.Generator
        The source of chance.

    Returns
    -------
    ndarray, shape (count, n)
    """
    gaps = rng.standard_exponential((count, n + 1))
    sums = np.cumsum(gaps, axis=1, out=gaps)
    left = 1.0 - sums[:, :n] / sums[:, n:]
    if tilt != 0.0:
        left = np.log1p(left * math.expm1(-tilt)) / -tilt
    if kind >= _kernels.HYPERBOLIC:
        left = np.expm1(length * left) / math.expm1(length)
    return np.clip(1.0 - left, 0.0, np.nextafter(1.0, 0.0))


def simulate_cell(family: str, n: int, place: dict[str, float], simulations: int) -> FloatArray:
    """Give D sqrt(n) of fits to simulated sequences of one cell, ascending.

    The seed is made from the cell, so each cell can be made again by itself.
    """
    kind, axes = FAMILIES[family]
    where = [axes[name].index(place[name]) for name in axes if name != "n"]
    rng = np.random.default_rng([SEED, list(FAMILIES).index(family), n, *where])
    length = place.get("length", 1.0)
    tilt = place.get("tilt", (place.get("power", 1.0) - 1.0) * length)
    distances, batch = [], max(1, 200_000 // n)
    for first in range(0, simulations, batch):
        count = min(batch, simulations - first)
        times = draw_times(kind, n, count, length=length, tilt=tilt, rng=rng)
        rows = np.empty((count, _kernels.COLUMNS))
        none = np.full(count, math.nan)
        offsets = np.arange(count + 1, dtype=np.int64) * n
        _kernels.fit_rows(kind, times.ravel(), False, offsets, np.ones(count), none, math.nan, rows)
        distances.append(rows[:, _kernels.KS])
    ordered: FloatArray = np.sort(np.concatenate(distances)) * math.sqrt(n)
    return ordered


def tail_quantiles(distances: FloatArray) -> list[float]:
    """Give the distances that are exceeded with the probabilities `TAIL`."""
    quantiles = np.quantile(distances, [1.0 - p for p in TAIL])
    return [round(float(q), 4) for q in quantiles]


def cells(family: str) -> Iterator[tuple[int, dict[str, float]]]:
    """List the cells of a family: n, and the place on the other axes."""
    axes = FAMILIES[family][1]
    for values in itertools.product(*axes.values()):
        place = dict(zip(axes, values, strict=True))
        yield int(place.pop("n")), place


def make_family(family: str, simulations: int = SIMULATIONS) -> dict[str, object]:
    """Simulate every cell of a family."""
    axes = FAMILIES[family][1]
    quantiles = [
        tail_quantiles(simulate_cell(family, n, at, simulations)) for n, at in cells(family)
    ]
    return {"axes": {name: list(grid) for name, grid in axes.items()}, "quantiles": quantiles}


def write_table(path: Path, families: dict[str, object], simulations: int) -> None:
    """Write the table, one cell a line."""
    head = {"seed": SEED, "simulations": simulations, "tail": list(TAIL)}
    text = json.dumps({**head, "families": families})
    path.write_text(text.replace("], [", "],\n[").replace('"quantiles"', '\n"quantiles"') + "\n")


def main() -> None:
    """Make some or all families anew, and keep the others."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--family", choices=list(FAMILIES), action="append")
    parser.add_argument("--simulations", type=int, default=SIMULATIONS)
    parser.add_argument("--out", type=Path, default=TABLE)
    options = parser.parse_args()
    families = json.loads(options.out.read_text())["families"] if options.out.exists() else {}
    for family in options.family or FAMILIES:
        families[family] = make_family(family, options.simulations)
        write_table(options.out, families, options.simulations)


if __name__ == "__main__":
    main()
