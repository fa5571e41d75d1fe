"""One measurement of stream-d4py: ``python -m benchmarks.peers.peer GRAPH --items N``.

Runs in the peer's own virtual environment, which has no flowquake. With
``--mapping mpi`` it is started on every rank: ``mpiexec -n 4 python -m ...``.
"""

from __future__ import annotations

import argparse
import itertools
import time
from typing import Any

import numpy as np
from dispel4py.base import ConsumerPE, IterativePE
from dispel4py.core import GenericPE
from dispel4py.workflow_graph import WorkflowGraph

from benchmarks.peers.probe import Probe, note, peak_mb

WORDS = [f"w{number:03d}" for number in range(1000)]
STRIDE = 7919
SLOW_S = 0.01


class Producer(GenericPE):  # type: ignore[misc]  # the peer has no types
    """All items in one iteration."""

    def __init__(self, items: int) -> None:
        super().__init__()
        self._add_output("output")
        self.items = items


class Numbers(Producer):
    """0, 1, 2, ..."""

    def _process(self, inputs: object) -> None:
        for number in range(self.items):
            self.write("output", number)


class Arrays(Producer):
    """Arrays of 1 MB, the first value of each its number."""

    def _process(self, inputs: object) -> None:
        values = np.arange(125_000, dtype=np.float64)
        for number in range(self.items):
            values[0] = number
            self.write("output", values.copy())

    def _postprocess(self) -> None:
        note(element="producer", peak_mb=peak_mb())


class Words(Producer):
    """A thousand words over and over, each with a one."""

    def _process(self, inputs: object) -> None:
        for number in range(self.items):
            self.write("output", (WORDS[number * STRIDE % 1000], 1))


class Same(IterativePE):  # type: ignore[misc]  # the peer has no types
    """Hands on what it takes."""

    def _process(self, data: object) -> object:
        return data


class Copy(IterativePE):  # type: ignore[misc]  # the peer has no types
    """Hands on a copy of what it takes."""

    def _process(self, data: Any) -> object:  # an array
        return data.copy()


class Sink(ConsumerPE):  # type: ignore[misc]  # the peer has no types
    """Counts what comes; `slow_s` is how long each takes, seconds."""

    def __init__(self, slow_s: float = 0.0) -> None:
        super().__init__()
        self.items = 0
        self.slow_s = slow_s

    def _process(self, data: object) -> None:
        self.items += 1
        if self.slow_s:
            time.sleep(self.slow_s)

    def _postprocess(self) -> None:
        note(element="sink", items=self.items, peak_mb=peak_mb())


class CountWords(GenericPE):  # type: ignore[misc]  # the peer has no types
    """Adds the ones of each word."""

    def __init__(self) -> None:
        super().__init__()
        self._add_input("input", grouping=[0])
        self.counts: dict[str, int] = {}

    def _process(self, inputs: dict[str, tuple[str, int]]) -> None:
        word, number = inputs["input"]
        self.counts[word] = self.counts.get(word, 0) + number

    def _postprocess(self) -> None:
        items = sum(self.counts.values())
        note(element="counter", items=items, words=len(self.counts), peak_mb=peak_mb())


def build(name: str, items: int) -> tuple[Any, GenericPE]:
    """Give a graph and its producer."""
    graph = WorkflowGraph()
    if name == "words":
        producer, mapper, counter = Words(items), Same(), CountWords()
        mapper.numprocesses = counter.numprocesses = 2
        chain = [producer, mapper, counter]
    elif name in ("ints", "arrays", "copies"):
        middle = Copy if name == "copies" else Same
        producer = Numbers(items) if name == "ints" else Arrays(items)
        chain = [producer, middle(), middle(), Sink()]
    elif name == "slow":
        chain = [Arrays(items), Sink(SLOW_S)]
    else:
        chain = [Numbers(items), Sink()]
    for source, target in itertools.pairwise(chain):
        graph.connect(source, "output", target, "input")
    return graph, chain[0]


def main() -> None:
    """Run one graph once and print what it took."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peers.peer")
    parser.add_argument("graph", choices=("ints", "arrays", "copies", "words", "one", "slow"))
    parser.add_argument("--mapping", choices=("simple", "multi", "mpi"), default="simple")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--items", type=int, required=True)
    asked = parser.parse_args()

    graph, producer = build(asked.graph, asked.items)
    if asked.mapping == "simple":
        from dispel4py.new.simple_process import process_and_return

        with Probe() as probe:
            process_and_return(graph, {producer: 1})
    elif asked.mapping == "multi":
        from dispel4py.new import multi_process

        how = argparse.Namespace(num=asked.workers, simple=False)
        with Probe() as probe:
            multi_process.process(graph, {producer: 1}, how)
    else:
        from dispel4py.new import mpi_process

        how = argparse.Namespace(num_processes=asked.workers, simple=False)
        with Probe(mpi_process.comm) as probe:
            mpi_process.process(graph, {producer.id: 1}, how)
    probe.report()


if __name__ == "__main__":
    main()
