"""The ways in which the tests run a graph: every mapping, with one to seven workers."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from flowquake.mapping import Mapping
from flowquake.mappings.multi import Multi
from flowquake.mappings.sequential import Sequential
from flowquake.mappings.simulated import Simulated

RANKS = (1, 2, 3, 4, 7)


@dataclass(frozen=True)
class Way:
    """One way of running a graph."""

    text: str
    make: Callable[[], Mapping] | None  # None: in a session under mpiexec
    workers: int
    fuse: bool = True
    ranks: int = 0

    @property
    def mapping(self) -> Mapping:
        """Give a mapping of this process."""
        assert self.make is not None
        return self.make()


def _fused(fuse: bool) -> str:
    return "fused" if fuse else "apart"


def _simulated(order: int, workers: int, fuse: bool, items: int) -> Way:
    def make() -> Mapping:
        return Simulated(order=order, channel_items=items, channel_bytes=5000)

    return Way(f"simulated-{workers}-{_fused(fuse)}-{items}", make, workers, fuse)


def _multi(workers: int, fuse: bool) -> Way:
    items = 1 if workers == 3 else None

    def make() -> Mapping:
        return Multi(channel_items=items)

    return Way(f"multi-{workers}-{_fused(fuse)}", make, workers, fuse)


def mpi_way(workers: int, fuse: bool, ranks: int) -> Way:
    idle = f"-of-{ranks}" if ranks != workers else ""
    return Way(f"mpi-{workers}{idle}-{_fused(fuse)}", None, workers, fuse, ranks)


SEQUENTIAL = Way("sequential", Sequential, 1)
SIMULATED = [
    _simulated(number, *case)
    for number, case in enumerate(itertools.product(RANKS, (True, False), (1, 1024)))
]
MULTI = [_multi(*case) for case in itertools.product(RANKS, (True, False))]
MPI_WAYS = [
    *(mpi_way(ranks, fuse, ranks) for ranks in RANKS for fuse in (True, False)),
    mpi_way(3, True, 7),
]
HERE = [SEQUENTIAL, *SIMULATED, *MULTI]


def as_parameters(ways: list[Way]) -> list[object]:
    """Give ways as parameters of a test, those under mpiexec marked as such."""
    return [
        pytest.param(way, id=way.text, marks=[pytest.mark.mpi] if way.ranks else []) for way in ways
    ]


EVERY = as_parameters([*HERE, *MPI_WAYS])
# For what is large or slow: one way of each mapping.
ONCE_WAYS = [
    way
    for way in (*HERE, *MPI_WAYS)
    if way.text in ("simulated-2-apart-1024", "multi-2-apart", "mpi-2-apart")
]
ONCE = as_parameters(ONCE_WAYS)
