"""Placement: which worker runs which unit."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass

# Loads are whole numbers of billionths: sums do not depend on their order.
UNIT_LOAD = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Share:
    """Work that is to be given workers of its own.

    Parameters
    ----------
    load : float
        How much there is of it.
    most : int or None
        How many workers can take part; None for any number.
    """

    load: float
    most: int | None = None


@dataclass(frozen=True, slots=True)
class Batch:
    """The units of one stage.

    Parameters
    ----------
    stage : int
        Its number.
    units : int
        How many there are.
    load : int
        Of each of them, in billionths.
    workers : range
        Who may run them.
    is_known : bool
        Whether the load was stated; if not, the units are spread evenly.
    """

    stage: int
    units: int
    load: int
    workers: range
    is_known: bool


def allot(shares: Sequence[Share], workers: int) -> list[range]:
    """Give each share workers of its own, in order, as far as there are any.

    Where there are fewer workers than shares, some have one in common. A
    worker that is left goes to the share with the most load for each of its
    workers that can still use one.

    Examples
    --------
    >>> allot([Share(1.0, 1), Share(3.0)], 4)
    [range(0, 1), range(1, 4)]
    >>> allot([Share(1.0), Share(3.0), Share(1.0)], 2)
    [range(1, 2), range(0, 1), range(1, 2)]
    """
    if workers < len(shares):
        taken = [range(0)] * len(shares)
        heap = [(0.0, worker) for worker in range(workers)]
        for number in sorted(range(len(shares)), key=lambda n: (-shares[n].load, n)):
            load, worker = heapq.heappop(heap)
            taken[number] = range(worker, worker + 1)
            heapq.heappush(heap, (load + shares[number].load, worker))
        return taken
    given = [1] * len(shares)
    waiting = [(-share.load, number) for number, share in enumerate(shares) if share.most != 1]
    heapq.heapify(waiting)
    for _ in range(workers - len(shares)):
        if not waiting:
            break
        _, number = heapq.heappop(waiting)
        given[number] += 1
        if given[number] != shares[number].most:
            heapq.heappush(waiting, (-shares[number].load / given[number], number))
    ends = [sum(given[: number + 1]) for number in range(len(given))]
    return [range(end - count, end) for end, count in zip(ends, given, strict=True)]


def place(batches: Sequence[Batch], workers: int) -> tuple[dict[int, list[int]], list[int]]:
    """Give units to workers, the heaviest first, each to the worker with the least to do.

    Returns
    -------
    workers_of : dict of int to list of int
        For each stage the worker of each of its units.
    loads : list of int
        Of each worker, in billionths.

    Examples
    --------
    >>> everybody = range(2)
    >>> reading, fitting = Batch(0, 1, 10, everybody, False), Batch(1, 2, 30, everybody, False)
    >>> place([reading, fitting], 2)
    ({1: [0, 1], 0: [0]}, [40, 30])
    """
    loads = [0] * workers
    workers_of: dict[int, list[int]] = {}
    heap: list[tuple[int, int]] = []
    at: range | None = None
    # Those with fewer workers to choose from go first.
    order = sorted(batches, key=lambda b: (len(b.workers), b.workers.start, -b.load, b.stage))
    for batch in order:
        if batch.workers != at:
            at = batch.workers
            heap = [(loads[worker], worker) for worker in at]
            heapq.heapify(heap)
        chosen = workers_of.setdefault(batch.stage, [])
        while len(chosen) < batch.units:
            # Of an unknown load no worker has a second unit before each has one.
            step = 1 if batch.is_known else min(len(heap), batch.units - len(chosen))
            for load, worker in [heapq.heappop(heap) for _ in range(step)]:
                loads[worker] = load + batch.load
                heapq.heappush(heap, (loads[worker], worker))
                chosen.append(worker)
    return workers_of, loads
