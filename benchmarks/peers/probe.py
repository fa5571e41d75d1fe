"""What a measured process says of itself; used by both sides, so it knows neither."""

from __future__ import annotations

import json
import os
import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

NOTES = "FLOWQUAKE_PEERS_NOTES"
MARK = "measured "


class Probe:
    """Measures what is run inside its block, over all processes of the run.

    Parameters
    ----------
    comm : communicator of mpi4py, optional
        Of all ranks; each of them enters and leaves the block.
    """

    def __init__(self, comm: Any = None) -> None:  # mpi4py has no types
        self._comm = comm
        self.seconds = 0.0
        self.cpu_seconds = 0.0

    def __enter__(self) -> Probe:
        self._wait()
        self.seconds = -time.perf_counter()
        self.cpu_seconds = -_cpu_seconds()
        return self

    def __exit__(self, *_: object) -> None:
        # Waiting for the other ranks is not the work of this one.
        self.cpu_seconds += _cpu_seconds()
        self._wait()
        self.seconds += time.perf_counter()

    def report(self, **values: float) -> None:
        """Print one line for the harness; called by every rank."""
        found = {"cpu_seconds": self.cpu_seconds, "peak_mb": peak_mb()}
        ranks = [found] if self._comm is None else self._comm.gather(found)
        if ranks is None:
            return
        line = {
            "seconds": self.seconds,
            "cpu_seconds": sum(rank["cpu_seconds"] for rank in ranks),
            "peak_mb": ranks[0]["peak_mb"],
            **values,
        }
        print(f"\n{MARK}{json.dumps(line)}", flush=True)

    def _wait(self) -> None:
        if self._comm is not None:
            self._comm.Barrier()


def note(**values: object) -> None:
    """Leave something for the harness, from any process of a run."""
    folder = os.environ.get(NOTES)
    if folder is None:
        return
    handle, _ = tempfile.mkstemp(suffix=".json", dir=folder)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump(values, file)


def peak_mb() -> float:
    """Give the most memory that this process ever held, MB.

    Linux's own figure also counts the shared memory that was touched; the
    portable one may be inherited from the process that started this one.
    """
    status = Path("/proc/self/status")
    if status.exists():
        for line in status.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024 / 1e6
    scale = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * scale / 1e6


def _cpu_seconds() -> float:
    """Give the CPU time of this process and of those that it waited for."""
    kinds = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    used = [resource.getrusage(kind) for kind in kinds]
    return sum(u.ru_utime + u.ru_stime for u in used)
