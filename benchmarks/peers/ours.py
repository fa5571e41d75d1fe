"""One measurement of flowquake: ``python -m benchmarks.peers.ours GRAPH --items N``.

With ``--mapping mpi`` it is started on every rank: ``mpiexec -n 4 python -m ...``.
"""

from __future__ import annotations

import argparse
import importlib
import time
from typing import Any

import numpy as np

from benchmarks.peers.graphs import GRAPHS
from benchmarks.peers.probe import Probe
from flowquake import run
from flowquake.mapping import find_mapping

BUFFERS = 64  # of 1 MB: more than the caches hold
ROUNDS = 8


def main() -> None:
    """Run one graph once and print what it took."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peers.ours")
    parser.add_argument("graph", choices=GRAPHS)
    parser.add_argument("--mapping", default="sequential")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--items", type=int, required=True)
    parser.add_argument("--no-fuse", action="store_true")
    parser.add_argument("--memcpy", action="store_true", help="also time copies of arrays")
    asked = parser.parse_args()

    workflow = GRAPHS[asked.graph](asked.items)
    options: dict[str, Any] = {"fuse": False} if asked.no_fuse else {}
    find_mapping(asked.mapping)  # imported here, so that the run does not
    if asked.mapping != "sequential":
        for name in ("engine.coordinator", "engine.reporting", "mappings.sockets"):
            importlib.import_module(f"flowquake.{name}")
    values = {"memcpy_mb_per_s": memcpy_mb_per_s()} if asked.memcpy else {}
    with Probe(_world() if asked.mapping == "mpi" else None) as probe:
        run(workflow, mapping=asked.mapping, workers=asked.workers, **options)
    if asked.memcpy:
        values["memcpy_mb_per_s"] = max(values["memcpy_mb_per_s"], memcpy_mb_per_s())
    probe.report(**values)


def memcpy_mb_per_s() -> float:
    """Give how fast one core copies arrays of 1 MB into memory that it has, MB/s."""
    source = [np.full(125_000, float(number)) for number in range(BUFFERS)]
    target = [array.copy() for array in source]
    best = 0.0
    for _ in range(ROUNDS):
        began = time.perf_counter()
        for a, b in zip(source, target, strict=True):
            np.copyto(b, a)
        best = max(best, BUFFERS / (time.perf_counter() - began))
    return best


def _world() -> Any:  # mpi4py has no types
    from mpi4py import MPI

    return MPI.COMM_WORLD


if __name__ == "__main__":
    main()
