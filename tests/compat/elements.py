"""PEs of dispel4py that several tests use, and the mappings that they run on."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from typing import Any

from flowquake.compat.dispel4py import (
    ConsumerPE,
    GenericPE,
    IterativePE,
    ProducerPE,
    WorkflowGraph,
    run_graph,
)
from flowquake.mappings.multi import Multi, Start
from flowquake.mappings.simulated import Simulated

Outputs = dict[str, dict[str, list[Any]]]
Run = Callable[..., Outputs]


def _sequential(graph: WorkflowGraph, inputs: Mapping[Any, Any], **options: Any) -> Outputs:
    return run_graph(graph, inputs, **options).outputs


def _simulated(workers: int, fuse: bool = True) -> Run:
    def outputs(graph: WorkflowGraph, inputs: Mapping[Any, Any], **options: Any) -> Outputs:
        mapping = Simulated(order=workers, channel_items=2, fuse=fuse)
        return run_graph(graph, inputs, mapping=mapping, workers=workers, **options).outputs

    return outputs


def _multi(workers: int, start: Start = "auto") -> Run:
    def outputs(graph: WorkflowGraph, inputs: Mapping[Any, Any], **options: Any) -> Outputs:
        return run_graph(
            graph, inputs, mapping=Multi(start=start), workers=workers, **options
        ).outputs

    return outputs


# Every way of running a graph; a mapping of its own is one line more.
RUNS: dict[str, Run] = {
    "sequential": _sequential,
    "simulated-1": _simulated(1, fuse=False),
    "simulated-2": _simulated(2),
    "simulated-4-apart": _simulated(4, fuse=False),
    "simulated-7": _simulated(7),
    "multi-3": _multi(3),
}


class Counting(ProducerPE):
    """1, 2, 3, ..."""

    def __init__(self) -> None:
        super().__init__()
        self.counter = 0

    def _process(self, inputs: Any) -> int:
        self.counter += 1
        return self.counter


class Emit(ProducerPE):
    """What it is made with, one at each iteration."""

    def __init__(self, items: list[Any]) -> None:
        super().__init__()
        self.items = list(items)

    def _process(self, inputs: Any) -> Any:
        return self.items.pop(0)


class TwoOutputs(GenericPE):
    """The same number on both."""

    def __init__(self) -> None:
        super().__init__()
        self.counter = 0
        for name in ("output0", "output1"):
            self._add_output(name)

    def _process(self, data: Any) -> dict[str, int]:
        self.counter += 1
        return dict.fromkeys(self.outputconnections, self.counter)


class Same(IterativePE):
    def _process(self, data: Any) -> Any:
        return data


class SameGeneric(GenericPE):
    def __init__(self, numprocesses: int = 1) -> None:
        super().__init__(numprocesses)
        self._add_input("input")
        self._add_output("output")

    def process(self, inputs: dict[str, Any]) -> dict[str, Any]:
        return {"output": inputs["input"]}


class SameByWrite(SameGeneric):
    def process(self, inputs: dict[str, Any]) -> None:  # type: ignore[override]  # as users do
        self.write("output", inputs["input"])


class Either(GenericPE):
    """Two inputs, whatever comes."""

    def __init__(self) -> None:
        super().__init__()
        self._add_input("input0")
        self._add_input("input1")
        self._add_output("output")

    def process(self, inputs: dict[str, Any]) -> dict[str, str]:
        return {"output": "".join(str(inputs[name]) for name in sorted(inputs))}


class Swallow(ConsumerPE):
    def _process(self, data: Any) -> None:
        return None


class WordCounter(GenericPE):
    """How often each word came, in what it keeps itself."""

    def __init__(self) -> None:
        super().__init__()
        self._add_input("input", grouping=[0])
        self._add_output("output")
        self.words: dict[str, int] = {}

    def process(self, inputs: dict[str, Any]) -> dict[str, Any]:
        word = inputs["input"][0]
        self.words[word] = self.words.get(word, 0) + 1
        return {"output": [word, self.words[word]]}


class Tally(GenericPE):
    """How many items it saw, given when it ends."""

    def __init__(self, grouping: Any = None, numprocesses: int = 1) -> None:
        super().__init__(numprocesses)
        self._add_input("input", grouping=grouping)
        self._add_output("output")
        self.seen = 0

    def process(self, inputs: dict[str, Any]) -> None:
        self.seen += 1

    def _postprocess(self) -> None:
        self.write("output", self.seen)


def line(*pes: Any) -> WorkflowGraph:
    """Connect PEs one after the other."""
    graph = WorkflowGraph()
    for source, target in itertools.pairwise(pes):
        graph.connect(source, "output", target, "input")
    return graph
