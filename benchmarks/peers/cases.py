"""What is measured, and what is asked of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

ITEM_MB = {"arrays": 1.0, "copies": 1.0}  # payload of an item, where it is what counts

Kind = Literal["rate", "share", "seconds", "memory"]


@dataclass(frozen=True)
class Measurement:
    """One run of one program; programs are named as the files here."""

    program: Literal["ours", "peer"]
    graph: str
    mapping: str
    workers: int = 1
    items: int = 0
    fuse: bool = True

    @property
    def label(self) -> str:
        """Its name in what is printed."""
        apart = "" if self.fuse else ", fusion off"
        return f"{self.program}: {self.graph}, {self.mapping} {self.workers}{apart}"


@dataclass(frozen=True)
class Case:
    """One line of the report.

    Parameters
    ----------
    name : str
        What it shows.
    kind : {"rate", "share", "seconds", "memory"}
        ``rate``: at least `asked` times the peer's items per second of wall
        time. ``share``: at least `asked` of what one memcpy per hop on one
        core gives. ``seconds``: at most `asked`. ``memory``: the worker that
        grows most stays within `asked` MB of the same worker without items.
    ours, peer : Measurement
        The two sides.
    asked : float, optional
        None: nothing is asked, the line is for information.
    """

    name: str
    kind: Kind
    ours: Measurement
    peer: Measurement
    asked: float | None

    def measurements(self) -> Iterator[Measurement]:
        """List what has to be run."""
        for side in (self.ours, self.peer):
            yield side
            if self.kind == "memory":
                yield idle(side)


def idle(measurement: Measurement) -> Measurement:
    """Give the same run without items."""
    return replace(measurement, items=0)


def _ours(
    graph: str, mapping: str, workers: int = 1, *, items: int, fuse: bool = True
) -> Measurement:
    return Measurement("ours", graph, mapping, workers, items, fuse)


def _peer(graph: str, mapping: str, workers: int = 1, *, items: int) -> Measurement:
    return Measurement("peer", graph, mapping, workers, items)


_SIMPLE = _peer("ints", "simple", items=200_000)
_INTS = {mapping: _peer("ints", mapping, 4, items=200_000) for mapping in ("multi", "mpi")}
_ARRAYS = {mapping: _peer("arrays", mapping, 4, items=2_000) for mapping in ("multi", "mpi")}
_APART = {
    mapping: _ours("arrays", mapping, 4, items=2_000, fuse=False) for mapping in ("multi", "mpi")
}

# The cases of a sitting share their measurements, which are made in turn.
SITTINGS: dict[str, tuple[Case, ...]] = {
    "ints-sequential": (
        Case(
            "small ints, sequential", "rate", _ours("ints", "sequential", items=1_000_000),
            _SIMPLE, 4.0,
        ),
    ),
    "ints-multi": (
        Case(
            "small ints, multi 4", "rate", _ours("ints", "multi", 4, items=1_000_000),
            _INTS["multi"], 12.0,
        ),
        Case(
            "small ints, multi 4, fusion off", "rate",
            _ours("ints", "multi", 4, items=400_000, fuse=False), _INTS["multi"], 4.0,
        ),
    ),
    "ints-mpi": (
        Case(
            "small ints, mpi 4", "rate", _ours("ints", "mpi", 4, items=1_000_000),
            _INTS["mpi"], 6.0,
        ),
        Case(
            "small ints, mpi 4, fusion off", "rate",
            _ours("ints", "mpi", 4, items=400_000, fuse=False), _INTS["mpi"], 2.0,
        ),
    ),
    "arrays-multi": (
        Case(
            "arrays of 1 MB, multi 4, fusion off", "rate", _APART["multi"],
            _ARRAYS["multi"], 10.0,
        ),
        Case(
            "arrays of 1 MB, multi 4, of one memcpy per hop", "share", _APART["multi"],
            _ARRAYS["multi"], 0.6,
        ),
        Case(
            "arrays of 1 MB, elements copy too, multi 4", "rate",
            _ours("copies", "multi", 4, items=2_000, fuse=False),
            _peer("copies", "multi", 4, items=2_000), None,
        ),
    ),
    "arrays-mpi": (
        Case(
            "arrays of 1 MB, mpi 4, fusion off", "rate", _APART["mpi"], _ARRAYS["mpi"], 2.5,
        ),
    ),
    "words": (
        Case(
            "words grouped and counted, multi 5", "rate",
            _ours("words", "multi", 5, items=200_000), _peer("words", "multi", 5, items=200_000),
            8.0,
        ),
    ),
    "start": (
        Case(
            "start-up, multi 2", "seconds", _ours("one", "multi", 2, fuse=False, items=0),
            _peer("one", "multi", 2, items=0), 0.05,
        ),
        Case(
            "start-up, mpi 2", "seconds", _ours("one", "mpi", 2, fuse=False, items=0),
            _peer("one", "mpi", 2, items=0), 1.0,
        ),
        Case(
            "one item from the shell", "seconds", _ours("one_item", "shell", items=1),
            _peer("one_item", "shell", items=1), 0.4,
        ),
    ),
    "memory": tuple(
        Case(
            f"slow consumer, {mapping} 2", "memory",
            _ours("slow", mapping, 2, items=3_000, fuse=False),
            _peer("slow", mapping, 2, items=1_500), 150.0,
        )
        for mapping in ("multi", "mpi")
    ),
}  # fmt: skip
