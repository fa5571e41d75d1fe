"""What passing items between workers takes: each element on a worker of its own.

Where this flowquake has no such mapping, the cases do not apply.
"""

from __future__ import annotations

import time
from typing import Any, ClassVar

from benchmarks.peers.cases import Measurement
from benchmarks.peers.graphs import GRAPHS
from benchmarks.peers.measuring import missing
from flowquake import run

ITEMS = {"ints": 200_000, "arrays": 1_000, "words": 100_000}
APART: dict[str, Any] = {"fuse": False}  # keyword arguments of run()
MAPPING = "multi"
WORKERS = 4


class Transport:
    """Items per second through four elements on four workers; an array is 1 MB."""

    params: ClassVar[tuple[tuple[str, ...], ...]] = (tuple(ITEMS),)
    param_names = ("graph",)
    unit = "items/s"

    def setup(self, graph: str) -> None:
        if missing(Measurement("ours", graph, MAPPING, fuse=False)) is not None:
            raise NotImplementedError

    def track_items_per_second(self, graph: str) -> float:
        best = 0.0
        for _ in range(5):
            workflow = GRAPHS[graph](ITEMS[graph])
            began = time.perf_counter()
            run(workflow, mapping=MAPPING, workers=WORKERS, **APART)
            best = max(best, ITEMS[graph] / (time.perf_counter() - began))
        return best

    def time_start(self, graph: str) -> None:
        run(GRAPHS[graph](0), mapping=MAPPING, workers=WORKERS, **APART)
