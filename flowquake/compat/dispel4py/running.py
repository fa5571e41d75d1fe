"""Running a graph of dispel4py from Python."""

from __future__ import annotations

import queue
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flowquake.compat.dispel4py.core import GenericPE
from flowquake.compat.dispel4py.translation import translate
from flowquake.compat.dispel4py.workflow_graph import WorkflowGraph
from flowquake.errors import ConfigError, suggest
from flowquake.running import run

if TYPE_CHECKING:
    from flowquake.mapping import Mapping as RunMapping
    from flowquake.running import RunResult

STATUS_TERMINATED = 12

# Inputs and results are items of any type, `args` any object with attributes:
# hence Any.

Outputs = dict[str, dict[str, list[Any]]]


@dataclass(frozen=True)
class GraphResult:
    """What the run of a graph gave.

    Attributes
    ----------
    outputs : dict of str to dict of str to list
        Items by id of the PE and name of the output; only where there are any.
    result : RunResult
        Counts and what was set aside.
    """

    outputs: Outputs
    result: RunResult


def run_graph(
    graph: WorkflowGraph,
    inputs: Mapping[Any, Any] | None = None,
    *,
    resultmappings: Mapping[str, Sequence[str]] | None = None,
    collect: bool = True,
    mapping: str | RunMapping = "sequential",
    workers: int | None = None,
    seed: int = 0,
    on_error: str = "stop",
    name: str = "dispel4py",
) -> GraphResult:
    """Run a graph to its end.

    Parameters
    ----------
    graph : WorkflowGraph
        It and its PEs stay as they are: copies run.
    inputs : mapping, optional
        For PEs that nothing feeds: a number of iterations, or a list of what
        ``process`` takes; by the PE, its name or its id.
    resultmappings : mapping of str to sequence of str, optional
        Outputs to collect by the id of their PE; default those that nothing
        takes.
    collect : bool, default True
        Whether to keep the items of outputs at all.
    mapping, workers, seed, on_error
        As `flowquake.run` takes them.
    name : str, default "dispel4py"
        The workflow's.

    Returns
    -------
    GraphResult
        What was collected, and counts.
    """
    made = translate(graph, inputs, name=name)
    places = made.open if resultmappings is None else _places(made.outputs, resultmappings)
    if not collect:
        places = []
    result = run(
        made.workflow,
        mapping=mapping,
        workers=workers,
        seed=seed,
        on_error=on_error,
        collect=[made.outputs[place] for place in places],
    )
    outputs: Outputs = {}
    for pe, output in places:
        items = result[made.outputs[pe, output]]
        if items:
            outputs.setdefault(pe, {})[output] = items
    return GraphResult(outputs, result)


def process_and_return(
    workflow: WorkflowGraph,
    inputs: Mapping[Any, Any],
    resultmappings: Mapping[str, Sequence[str]] | None = None,
) -> Outputs:
    """Run a graph in this process; give the items of outputs by PE id and output.

    Parameters are those of `run_graph`.
    """
    return run_graph(workflow, inputs, resultmappings=resultmappings).outputs


def process(
    workflow: WorkflowGraph,
    inputs: Mapping[Any, Any],
    args: Any = None,
    resultmappings: Mapping[str, Sequence[str]] | None = None,
) -> None:
    """Run a graph in this process, and write inputs and outputs to standard output."""
    named = {key.id if isinstance(key, GenericPE) else key: n for key, n in inputs.items()}
    sys.stdout.write(f"Inputs: {named}\n")
    outputs = process_and_return(workflow, inputs, resultmappings)
    sys.stdout.write(f"Outputs: {outputs}\n")


def multi_process(workflow: WorkflowGraph, inputs: Mapping[Any, Any], args: Any) -> Any:
    """Run a graph on several processes, ``args.num`` of them.

    Returns
    -------
    queue or None
        With ``args.results``: ``(id, output, item)`` for each item, then
        `STATUS_TERMINATED`.
    """
    return _process_on("multi", workflow, inputs, args)


def mpi_process(workflow: WorkflowGraph, inputs: Mapping[Any, Any], args: Any) -> Any:
    """Run a graph under MPI; as `multi_process`."""
    return _process_on("mpi", workflow, inputs, args)


def _process_on(mapping: str, graph: WorkflowGraph, inputs: Mapping[Any, Any], args: Any) -> Any:
    wanted = bool(getattr(args, "results", False))
    number = int(getattr(args, "num", 1))
    done = run_graph(graph, inputs, mapping=mapping, workers=number, collect=wanted)
    if not wanted:
        return None
    results: queue.Queue[Any] = queue.Queue()
    for pe, outputs in done.outputs.items():
        for output, items in outputs.items():
            for item in items:
                results.put((pe, output, item))
    results.put(STATUS_TERMINATED)
    return results


def _places(
    outputs: Mapping[tuple[str, str], Any], wanted: Mapping[str, Sequence[str]]
) -> list[tuple[str, str]]:
    places = [(pe, output) for pe, names in wanted.items() for output in names]
    for pe, output in places:
        if (pe, output) not in outputs:
            known = {".".join(map(str, place)) for place in outputs}
            raise ConfigError(
                f"there is no output '{pe}.{output}' to collect{suggest(f'{pe}.{output}', known)}",
                fix=f"the outputs are: {', '.join(sorted(known)) or 'none'}",
            )
    return places
