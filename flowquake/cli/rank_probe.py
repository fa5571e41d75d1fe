"""What `flowquake doctor` starts on two MPI ranks: rank 0 prints what it finds, as JSON."""

from __future__ import annotations

import json
import sys
import time
from statistics import median

ROUND_TRIPS = 200


def main(started: float) -> None:
    """Find out about MPI, and measure.

    Parameters
    ----------
    started : float
        When the ranks were started, in seconds of the machine's clock.
    """
    import mpi4py
    from mpi4py import MPI

    ranks = MPI.COMM_WORLD
    ranks.Barrier()
    found = {
        "library": MPI.Get_library_version(),
        "mpi4py": mpi4py.__version__,
        "size": ranks.size,
        "start_s": time.time() - started,
        "round_trip_s": _round_trip(ranks) if ranks.size == 2 else None,
    }
    if ranks.rank == 0:
        sys.stdout.write(json.dumps(found) + "\n")
        sys.stdout.flush()


def _round_trip(ranks: object) -> float:
    from mpi4py import MPI

    assert isinstance(ranks, MPI.Comm)
    buffer, seconds = bytearray(8), []
    for _ in range(ROUND_TRIPS):
        began = time.perf_counter()
        if ranks.rank == 0:
            ranks.Send(buffer, 1)
            ranks.Recv(buffer, 1)
        else:
            ranks.Recv(buffer, 0)
            ranks.Send(buffer, 0)
        seconds.append(time.perf_counter() - began)
    return median(seconds)


if __name__ == "__main__":
    main(float(sys.argv[1]))
