"""Magnitudes to try the estimators on."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest


@pytest.fixture
def el_hierro_magnitudes(shared_data: Callable[[str], Path]) -> npt.NDArray[np.float64]:
    """Magnitudes above 0 of the bulletin, in catalog order, read without any reader."""
    path = shared_data("volcano/el_hierro/Hierro_IGN_C2_11-070114.txt")
    rows = [line.split("\t") for line in path.read_text("latin-1").splitlines()[2:]]
    times = [
        datetime.strptime(f"{row[1].strip()} {row[2].strip()}", "%d/%m/%Y %H:%M:%S") for row in rows
    ]
    magnitudes = np.array([float(row[7]) for row in rows])
    order = np.array(sorted(range(len(times)), key=times.__getitem__))
    ordered: npt.NDArray[np.float64] = magnitudes[order]
    positive: npt.NDArray[np.float64] = ordered[ordered > 0]
    return positive


@pytest.fixture
def simulate_magnitudes() -> Callable[..., npt.NDArray[np.float64]]:
    """Draw magnitudes of the Gutenberg-Richter law, rounded to one decimal."""

    def simulate(
        n: int, *, b: float, mc: float, seed: int, width: float = 0.1
    ) -> npt.NDArray[np.float64]:
        rng = np.random.default_rng(seed)
        raw = mc - width / 2 + rng.exponential(1.0 / (b * np.log(10.0)), n)
        return np.round(raw / width) * width

    return simulate
