"""For users of dispel4py: its classes, graphs and groupings, run by this engine.

A graph that is made with these classes runs on every mapping. ``flowquake
dispel4py FILE`` runs a file that imports dispel4py as it is.
"""

from __future__ import annotations

from flowquake.compat.dispel4py.base import (
    BasePE,
    CompositePE,
    ConsumerPE,
    IterativePE,
    ProducerPE,
    SimpleFunctionPE,
    create_iterative_chain,
)
from flowquake.compat.dispel4py.core import (
    GROUPING,
    GROUPING_NAME,
    NAME,
    TYPE,
    GenericPE,
)
from flowquake.compat.dispel4py.loading import load_graph
from flowquake.compat.dispel4py.running import GraphResult, process_and_return, run_graph
from flowquake.compat.dispel4py.translation import Translation, to_workflow, translate
from flowquake.compat.dispel4py.workflow_graph import WorkflowGraph, draw

__all__ = [
    "GROUPING",
    "GROUPING_NAME",
    "NAME",
    "TYPE",
    "BasePE",
    "CompositePE",
    "ConsumerPE",
    "GenericPE",
    "GraphResult",
    "IterativePE",
    "ProducerPE",
    "SimpleFunctionPE",
    "Translation",
    "WorkflowGraph",
    "create_iterative_chain",
    "draw",
    "load_graph",
    "process_and_return",
    "run_graph",
    "to_workflow",
    "translate",
]
