"""One item through one element: what the peer's command line itself takes."""

from __future__ import annotations

from dispel4py.base import ConsumerPE
from dispel4py.core import GenericPE
from dispel4py.workflow_graph import WorkflowGraph


class OneNumber(GenericPE):  # type: ignore[misc]  # the peer has no types
    """One number."""

    def __init__(self) -> None:
        super().__init__()
        self._add_output("output")

    def _process(self, inputs: object) -> None:
        self.write("output", 1)


class TakeNumber(ConsumerPE):  # type: ignore[misc]  # the peer has no types
    """Takes what comes."""

    def _process(self, data: int) -> None:
        pass


graph = WorkflowGraph()
graph.connect(OneNumber(), "output", TakeNumber(), "input")
