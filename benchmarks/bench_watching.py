"""What watching costs: throughput of small ints with and without somebody who watches.

``python -m benchmarks.bench_watching`` runs both by turns and prints the cost,
as the median over pairs; it fails above the target. What is compared with:
"unwatched" is a run whose figures nobody hears, "unsampled" one in which even
the sampler does not look. Processor time is compared, as other programs on the
machine disturb it less.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar

from benchmarks.bench_throughput import chain
from flowquake import run
from flowquake.cli.watching import Watcher
from flowquake.engine import sampling
from flowquake.rundir import RunDirectory

TARGET = 2.0  # percent
ITEMS = {"sequential": 1_000_000, "multi": 1_000_000}
WORKERS = {"sequential": 1, "multi": 2}


@contextmanager
def unsampled() -> Iterator[None]:
    """Keep the sampler from looking; where workers are forked they inherit it."""
    sampler = sampling.Sampler
    enter, leave = sampler.__enter__, sampler.__exit__
    sampler.__enter__ = lambda self: self  # type: ignore[method-assign]
    sampler.__exit__ = lambda self, *_: None  # type: ignore[method-assign]
    try:
        yield
    finally:
        sampler.__enter__, sampler.__exit__ = enter, leave  # type: ignore[method-assign]


def seconds(mapping: str, *, watched: bool) -> float:
    """Run once; give the processor time of this process and its workers."""
    workflow = chain(ITEMS[mapping])
    began = processor_time()
    if not watched:
        run(workflow, mapping=mapping, workers=WORKERS[mapping])
        return processor_time() - began
    with tempfile.TemporaryDirectory() as folder:
        watcher = Watcher(RunDirectory(Path(folder), "watched"))
        with watcher:
            run(workflow, mapping=mapping, workers=WORKERS[mapping], observer=watcher)
        return processor_time() - began


def processor_time() -> float:
    """Give the processor time of this process and of those that have ended under it."""
    import resource

    spent = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in spent)


def cost(mapping: str, compared_with: str, pairs: int) -> float:
    """Give what watching adds to a run, percent: the median over pairs of runs, by turns."""
    found = []
    for number in range(pairs):
        taken = {}
        for watched in (True, False) if number % 2 else (False, True):
            if watched or compared_with == "unwatched":
                taken[watched] = seconds(mapping, watched=watched)
            else:
                with unsampled():
                    taken[watched] = seconds(mapping, watched=False)
        found.append(100 * (taken[True] / taken[False] - 1))
    return statistics.median(found)


class Watching:
    """Percent of the time that watching adds."""

    params: ClassVar[tuple[tuple[str, ...], ...]] = (tuple(ITEMS), ("unwatched", "unsampled"))
    param_names = ("mapping", "compared_with")
    unit = "%"

    def track_cost(self, mapping: str, compared_with: str) -> float:
        return cost(mapping, compared_with, 7)


def main() -> None:
    """Print the costs, and fail above the target."""
    pairs = int(sys.argv[1]) if len(sys.argv) > 1 else 15
    worst = 0.0
    for mapping in ITEMS:
        for compared_with in ("unwatched", "unsampled"):
            began = time.perf_counter()
            found = cost(mapping, compared_with, pairs)
            worst = max(worst, found)
            spent = time.perf_counter() - began
            print(
                f"{mapping:<11} watched against {compared_with:<10} {found:+6.2f} %   "
                f"{pairs} pairs in {spent:.0f} s",
                flush=True,
            )
    raise SystemExit(worst > TARGET)


if __name__ == "__main__":
    main()
